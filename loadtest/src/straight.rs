//! Straight into the log: appender, worker and projector in this process, as `andon run` wires them, without HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use andon_log::sqlite::{Options, SqliteLog};
use andon_log::{Appender, Outputs, Topic};
use andon_processor::{Projector, ProjectorConfig, ProjectorMetrics, Worker, WorkerConfig, WorkerMetrics};
use andon_schemas::encode_line_status_changed;
use andon_store::Views;
use andon_store::sqlite::SqliteViews;
use prometheus::Registry;

use crate::Failure;
use crate::plant::Event;
use crate::process;
use crate::report::Report;

pub(crate) fn run(
    plant: impl Iterator<Item = Event>,
    batch: usize,
    report: &mut Report,
) -> Result<(), Failure> {
    let events: Vec<Event> = plant.collect();
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let log = SqliteLog::open(folder.path(), Options::default())?;
    let views: Arc<dyn Views> =
        Arc::new(SqliteViews::open(folder.path(), &andon_store::sqlite::Options::default())?);
    let registry = Registry::new();
    let worker = Worker::new(
        Box::new(log.worker()?),
        Box::new(log.reader(&[(Topic::Directory, 0, 0)])?),
        WorkerConfig::default(),
        WorkerMetrics::new(&registry),
    );
    let projector = Projector::new(
        Box::new(log.reader(&Projector::CHANGES.map(|topic| (topic, 0, 0)))?),
        Box::new(log.reader(&[(Topic::DeadLetters, 0, 0)])?),
        views.clone(),
        ProjectorConfig::default(),
        ProjectorMetrics::new(&registry),
        runtime.handle().clone(),
    );
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<(), Failure> {
        let worker = scope.spawn(|| worker.run(&stop, &|_| ()));
        let projector = scope.spawn(|| projector.run(&stop, &|_| ()));
        let result = measure(&events, batch, &log, &registry, views.as_ref(), &runtime, report);
        stop.store(true, Ordering::Release);
        worker.join().map_err(|_| "the worker panicked")??;
        projector.join().map_err(|_| "the projector panicked")??;
        result
    })?;
    log.close();
    Ok(())
}

fn measure(
    events: &[Event],
    batch: usize,
    log: &SqliteLog,
    registry: &Registry,
    views: &dyn Views,
    runtime: &tokio::runtime::Runtime,
    report: &mut Report,
) -> Result<(), Failure> {
    let (appender, own) = (log.appender(), std::process::id());
    let cpu_before = process::cpu(own);
    let mut records = Outputs::default();
    let began = Instant::now();
    for events in events.chunks(batch) {
        records.clear();
        for event in events {
            records.push_written(Topic::LineStatus, 0, event.line.as_bytes(), |out| {
                encode_line_status_changed(&event.as_change(), out);
            });
        }
        appender.append(&records)?;
    }
    report.took("Andon, straight into the log: durable", began.elapsed());
    while processed(registry) < events.len() as f64 {
        std::thread::sleep(Duration::from_millis(2));
    }
    report.took("Andon, straight into the log: folded and committed", began.elapsed());
    loop {
        let end = log.end_offset(Topic::LineChanges, 0)?;
        let positions = runtime.block_on(views.positions())?;
        if positions.iter().any(|p| p.stream == Topic::LineChanges.name() && p.offset >= end) {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    report.took("Andon, straight into the log: in the views", began.elapsed());
    let cpu = process::cpu(own).zip(cpu_before).map(|(now, before)| now - before);
    report.cost("Andon, straight into the log", cpu, None); // the events of the plant are in this process's memory too
    Ok(())
}

/// Records that the worker has taken in.
fn processed(registry: &Registry) -> f64 {
    registry
        .gather()
        .iter()
        .filter(|family| family.name() == "processor_events_total")
        .flat_map(|family| family.get_metric())
        .map(|metric| metric.get_counter().get_value())
        .sum()
}
