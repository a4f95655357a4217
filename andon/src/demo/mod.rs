//! `andon demo`: the bundled record through the whole pipe, over HTTP like anybody's, compared with what it must give;
//! then a few simulated lines, so that there is something to look at.

mod record;
mod simulated;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::client::Client;
use crate::config::{Config, LogFormat};
use crate::exit::Failure;
use crate::logging;
use crate::roles::Running;
use crate::run::{Signals, block_on, wait_and_drain};

/// Runs the command.
pub(crate) fn run(once: bool, data_dir: Option<String>, listen: Option<String>) -> Result<(), Failure> {
    let folder = Folder::new(data_dir);
    let mut config =
        Config { data_dir: folder.path.clone(), log_format: LogFormat::Text, ..Config::default() };
    config.log_filter = "warn".to_owned();
    // On a status page every word but `operational` is downtime.
    config.fold.degraded_is_down = true;
    config.admin.set_port(0);
    match listen {
        Some(address) => {
            config.listen = address
                .parse()
                .map_err(|_| Failure::Usage(format!("`{address}` is no address to listen on")))?;
        }
        None if once || std::net::TcpListener::bind(config.listen).is_err() => config.listen.set_port(0),
        None => {}
    }
    let errors = config.check();
    if let Some((key, why)) = errors.first() {
        return Err(Failure::Config(format!("{key}: {why}")));
    }
    logging::start(&config);
    block_on(async {
        let running = Running::start(&config).await?;
        let url = running.api_url.clone();
        let told = tokio::task::spawn_blocking({
            let url = url.clone();
            move || record::tell(&Client::new(&url))
        });
        let result = match told.await {
            Ok(result) => result,
            Err(error) => Err(Failure::Other(format!("the demo failed: {error}"))),
        };
        if once || result.is_err() {
            let drained = running.drain(Duration::from_millis(config.drain_ms_max)).await;
            return result.and(drained);
        }
        let signals = Signals::new()?;
        println!();
        println!("A few simulated lines report from now on. Ask, as long as this runs (Ctrl-C ends it):");
        println!("  curl {url}/v1/lines/{}", simulated::LINES[0]);
        println!("  curl '{url}/v1/downtime?area={}'", simulated::AREA);
        println!("  curl http://{}/metrics", running.admin_address);
        let stop = Arc::new(AtomicBool::new(false));
        let lines = std::thread::spawn({
            let (stop, client) = (stop.clone(), Client::new(&url));
            move || simulated::live(&client, &stop)
        });
        let ended = wait_and_drain(running, &config, signals).await;
        stop.store(true, Ordering::Release);
        if lines.join().is_err() {
            return Err(Failure::Other("the simulated lines ended by a panic".to_owned()));
        }
        ended
    })
}

/// The folder of the demo's databases. A temporary one goes at the end.
struct Folder {
    path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    fn new(data_dir: Option<String>) -> Self {
        match data_dir {
            Some(path) => Self { path: path.into(), is_temporary: false },
            None => {
                let name = format!("andon-demo-{}", std::process::id());
                Self { path: std::env::temp_dir().join(name), is_temporary: true }
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary
            && let Err(error) = std::fs::remove_dir_all(&self.path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            eprintln!("could not remove `{}`: {error}", self.path.display());
        }
    }
}
