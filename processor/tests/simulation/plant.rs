//! The workers over a log that fails, all on one thread: what happens next, and where it fails, follows from the seed.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use andon_domain::{DirectoryChange, IntervalChange};
use andon_log::memory::{Faults, MemoryLog};
use andon_log::{Appender, Error as LogError, Outputs, Topic};
use andon_processor::{Error, Worker, WorkerConfig, WorkerMetrics};
use andon_schemas::{decode_command, directory_key, encode_directory};
use prometheus::Registry;

use crate::observed::{self, control, last_offset};
use crate::random::Random;
use crate::reference::{Phase, tell};
use crate::script::{PARTITIONS, Script, VALUE_BYTES_MAX, fold_config};

const BEGAN_AT: i64 = 1_700_000_000_000;

/// More turns than any run needs to be quiet.
const TURNS_MAX: usize = 50_000;

/// How much happens in a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) phases: usize,
    pub(crate) steps: usize,
}

pub(crate) struct Plant {
    pub(crate) log: MemoryLog,
    workers: Vec<Worker>,
    random: Random,
    script: Script,
    phases: Vec<Phase>,
    clock: i64,
    /// Records that the log took from outside.
    appended: usize,
    /// How often a call of a worker failed, so that it was replaced.
    pub(crate) crashes: u64,
    registry: Registry,
    metrics: WorkerMetrics,
}

impl Plant {
    pub(crate) fn new(seed: u64, faults: Faults, workers: usize) -> Self {
        let registry = Registry::new();
        let metrics = WorkerMetrics::new(&registry);
        let log = MemoryLog::new(PARTITIONS, seed, faults);
        log.set_clock(BEGAN_AT);
        let mut plant = Self {
            log,
            workers: Vec::new(),
            random: Random::new(seed),
            script: Script::new(),
            phases: Vec::new(),
            clock: BEGAN_AT,
            appended: 0,
            crashes: 0,
            registry,
            metrics,
        };
        plant.workers = (0..workers).map(|_| plant.new_worker()).collect();
        plant
    }

    fn new_worker(&self) -> Worker {
        let config = WorkerConfig {
            fold: fold_config(),
            partitions: PARTITIONS,
            value_bytes_max: VALUE_BYTES_MAX,
            again_ms_first: 0,
            ..WorkerConfig::default()
        };
        let directory = self.log.reader(&[(Topic::Directory, 0, 0)]).unwrap();
        Worker::new(Box::new(self.log.worker()), Box::new(directory), config, self.metrics.clone())
    }

    /// The whole run, and the comparison at its end.
    pub(crate) fn run(&mut self, size: Size) {
        for phase in 0..size.phases {
            let changes = match phase {
                0 => Script::first_directory(),
                _ => vec![Script::directory_change(phase, &mut self.random)],
            };
            changes.iter().for_each(|change| self.append_directory(change));
            self.settle();
            for _ in 0..size.steps {
                self.step();
            }
            self.clock = self.clock.max(self.log.clock()) + 5_000;
            self.log.set_clock(self.clock);
            self.settle();
            let end = |partition| self.log.end_offset(Topic::LineStatus, partition).unwrap();
            let ends = (0..PARTITIONS).map(end).collect();
            self.phases.push(Phase { directory: changes, ends, clock: self.log.clock() });
        }
        self.check();
    }

    /// Something happens.
    fn step(&mut self) {
        match self.random.below(100) {
            0..40 => {
                self.clock += self.random.millis(8_000);
                let shown = if self.random.percent(3) { self.clock - 20_000 } else { self.clock };
                self.log.set_clock(shown);
                let batch = self.script.batch(self.clock, &mut self.random);
                self.append(&batch);
                self.appended += batch.len();
            }
            40..42 => self.stop_one(),
            42..46 => {
                let change = Script::idle_directory_change(&mut self.random);
                self.append_directory(&change);
            }
            _ => self.turn(),
        }
    }

    /// Sends until the log has it; what was in doubt is sent twice.
    fn append(&mut self, records: &Outputs) {
        loop {
            match self.log.appender().append(records) {
                Ok(_) => return,
                Err(LogError::Full) => {}
                Err(LogError::Storage { .. }) => {
                    self.appended += records.iter().filter(|r| r.topic == Topic::LineStatus).count();
                }
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn append_directory(&mut self, change: &DirectoryChange) {
        let mut value = Vec::new();
        let has_value = encode_directory(change, &mut value);
        let mut records = Outputs::default();
        records.push(Topic::Directory, 0, &directory_key(change), has_value.then_some(&value[..]));
        self.append(&records);
    }

    /// A worker ends as it is told to; another process takes its place.
    fn stop_one(&mut self) {
        let at = self.random.below(self.workers.len());
        match self.workers.remove(at).run(&AtomicBool::new(true), &|_| ()) {
            Ok(()) => {}
            Err(Error::Log(LogError::Closed | LogError::Storage { .. })) => self.crashes += 1,
            Err(other) => panic!("{other:?}"),
        }
        self.workers.insert(at, self.new_worker());
    }

    /// A worker does the next thing. One that fails is replaced, as a supervisor would.
    fn turn(&mut self) {
        let at = self.random.below(self.workers.len());
        match self.workers[at].turn(&AtomicBool::new(false)) {
            Ok(()) => {}
            Err(Error::Log(LogError::Closed | LogError::Storage { .. })) => {
                self.crashes += 1;
                self.replace(at);
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// The worker is gone in the middle of whatever it did; another process takes its place.
    fn replace(&mut self, at: usize) {
        drop(self.workers.remove(at));
        let worker = self.new_worker();
        self.workers.insert(at, worker);
    }

    /// Turns until everything that was sent is folded and committed with the newest directory.
    fn settle(&mut self) {
        for _ in 0..TURNS_MAX / 10 {
            for _ in 0..10 {
                self.turn();
            }
            if (0..PARTITIONS).all(|partition| self.is_settled(partition)) {
                return;
            }
        }
        panic!(
            "the workers are stuck: {:?}",
            (0..PARTITIONS).map(|p| control(&self.log, p)).collect::<Vec<_>>()
        );
    }

    fn is_settled(&self, partition: u32) -> bool {
        control(&self.log, partition).is_some_and(|control| {
            let (input, directory) =
                (self.log.records(Topic::LineStatus, partition), self.log.records(Topic::Directory, 0));
            control.applied_offset == last_offset(&input)
                && control.directory_offset == last_offset(&directory) + 1
                && control.log_time >= self.log.clock() - 1_000
        })
    }

    fn check(&self) {
        let (mut taken, mut forwarded) = (0, 0);
        for partition in 0..PARTITIONS {
            let expected = tell(&self.log, partition, &self.phases);
            let observed = observed::read(&self.log, partition);
            forwarded += expected.forwarded;
            taken += self.log.records(Topic::LineStatus, partition).len();
            assert_eq!(observed.dead_letters, expected.dead_letters, "dead letters of partition {partition}");
            assert_eq!(observed.commands, expected.commands, "commands of partition {partition}");
            assert_eq!(observed.intervals, expected.intervals, "intervals of partition {partition}");
            assert_eq!(observed.rows, expected.rows, "rows of partition {partition}");
            assert_eq!(observed.state, expected.state, "state of partition {partition}");
            assert_eq!(
                (observed.log_time, observed.applied_offset),
                (expected.log_time, expected.applied_offset),
                "control record of partition {partition}"
            );
        }
        assert_eq!(taken, self.appended + forwarded, "each misplaced record was forwarded once");
        assert_eq!(self.count("processor_torn_positions_total"), 0);
    }

    /// A counter of the workers, all labels together.
    fn count(&self, name: &str) -> u64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name).expect("it is registered");
        family.get_metric().iter().map(|metric| metric.get_counter().get_value() as u64).sum()
    }

    /// Adds what the run met to `met`: how commits ended, what was committed, how often a worker was replaced.
    pub(crate) fn add_what_it_met(&self, met: &mut BTreeMap<String, u64>) {
        let mut add = |what: String, count: u64| *met.entry(what).or_default() += count;
        for family in self.registry.gather() {
            if family.name() == "processor_commits_total" {
                for metric in family.get_metric() {
                    let result = metric.get_label()[0].value();
                    add(format!("commit {result}"), metric.get_counter().get_value() as u64);
                }
            }
        }
        add("worker failed".to_owned(), self.crashes);
        for partition in 0..PARTITIONS {
            let story = tell(&self.log, partition, &self.phases);
            add("forwarded".to_owned(), story.forwarded as u64);
            story
                .dead_letters
                .iter()
                .for_each(|(reason, ..)| add(format!("dead letter {}", reason.name()), 1));
            for (_, value) in &story.commands {
                add(format!("command {}", decode_command(value).unwrap().kind.name()), 1);
            }
            for (_, change) in story.intervals.values() {
                let is_retracted = matches!(change, IntervalChange::Retract { .. });
                add(if is_retracted { "interval retracted" } else { "interval" }.to_owned(), 1);
            }
        }
    }
}
