//! `andon run`: everything in this process, until it is told to stop.

use std::time::Duration;

use crate::config::Config;
use crate::exit::Failure;
use crate::roles::Running;

/// Runs until SIGTERM or SIGINT, then drains; a second signal ends at once.
pub(crate) fn run(config: &Config) -> Result<(), Failure> {
    block_on(async {
        // Before anybody is told that it runs, and may tell it to end.
        let mut signals = Signals::new()?;
        let running = tokio::select! {
            started = Running::start(config) => started?,
            name = signals.next() => return Err(Failure::Other(format!("{name} ended the start"))),
        };
        println!("andon {} is running", env!("CARGO_PKG_VERSION"));
        println!("  api    {}", running.api_url);
        println!("  admin  http://{}", running.admin_address);
        println!("  data   {}", config.data_dir.display());
        wait_and_drain(running, config, signals).await
    })
}

/// Waits for a signal or a failure, then drains.
pub(crate) async fn wait_and_drain(
    running: Running,
    config: &Config,
    mut signals: Signals,
) -> Result<(), Failure> {
    tokio::select! {
        name = signals.next() => tracing::info!("{name}: draining"),
        () = running.failed() => tracing::error!("a role failed: draining"),
    }
    tokio::select! {
        ended = running.drain(Duration::from_millis(config.drain_ms_max)) => ended,
        name = signals.next() => Err(Failure::Other(format!("a second {name} ended the drain"))),
    }
}

/// Runs on the runtime of servers and clients; the roles have threads of their own. What still hangs at the end is left
/// behind: after a drain nobody waits any longer.
pub(crate) fn block_on(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Other(format!("could not start the runtime: {error}")))?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

/// What asks the program to end.
pub(crate) struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    /// From now on signals are waited for, and end nothing by themselves.
    pub(crate) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error| Failure::Other(format!("could not listen for signals: {error}"));
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
