//! How many status changes the fold takes in, and how much memory its lines need.
//!
//! `cargo bench -p andon-domain` measures events per second: `fold` alone, and `fold+drain`, which publishes and
//! encodes what changed every 10,000 events as a worker would. `ANDON_BENCH_LINES=5000` leaves out the large plants.

use std::hint::black_box;
use std::time::{Duration, Instant};

use andon_domain::{Directory, EventId, FoldConfig, Line, LineStatus, Millis, Partition, StatusChange};
use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use uuid::Uuid;

/// An event without its borrowed parts, ready before the clock runs.
struct Arrival {
    line: u32,
    at: Millis,
    id: Uuid,
    status: LineStatus,
    reason: Option<&'static str>,
}

/// How the lines of a plant report.
#[derive(Clone, Copy)]
enum Plant {
    /// Each once a minute, in rounds; a fifth of the events change the status.
    Rounds,
    /// Each once a second, nearly always the same.
    EverySecond,
    /// Each only when its status changes, some minutes apart, in no order among them.
    Sparse,
}

const PLANTS: [(Plant, &str); 3] =
    [(Plant::Rounds, "rounds"), (Plant::EverySecond, "every_second"), (Plant::Sparse, "sparse")];

/// A stream of numbers that is the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

const ORIGIN: Millis = 1_700_000_000_000;
const STATUSES: [LineStatus; 4] =
    [LineStatus::Running, LineStatus::Stopped, LineStatus::Faulted, LineStatus::Idle];

/// The events of a plant, the rounds going on from `first_round`.
fn arrivals(plant: Plant, lines: u32, count: usize, first_round: i64) -> Vec<Arrival> {
    let mut numbers = Numbers(u64::from(lines) ^ first_round.cast_unsigned());
    let mut status = vec![LineStatus::Running; lines as usize];
    let period_ms: i64 = match plant {
        Plant::Rounds => 60_000,
        Plant::EverySecond => 1_000,
        Plant::Sparse => 300_000,
    };
    let mut arrivals: Vec<_> = (0..count)
        .map(|index| {
            let round = first_round + i64::try_from(index / lines as usize).expect("it is small");
            let line = match plant {
                Plant::Rounds | Plant::EverySecond => u32::try_from(index % lines as usize).expect("a line"),
                Plant::Sparse => u32::try_from(numbers.below(u64::from(lines))).expect("a line"),
            };
            let turns = match plant {
                Plant::Rounds => numbers.below(5) == 0,
                Plant::EverySecond => numbers.below(300) == 0,
                Plant::Sparse => true,
            };
            let now = &mut status[line as usize];
            if turns {
                let others: Vec<_> = STATUSES.into_iter().filter(|status| status != now).collect();
                *now = others[usize::try_from(numbers.below(3)).expect("it is small")];
            }
            let reason = (turns && *now == LineStatus::Stopped).then_some("4711");
            let within = i64::try_from(numbers.below(period_ms.cast_unsigned())).expect("it is small");
            let within = if matches!(plant, Plant::Sparse) { within } else { within / 10 };
            let at = ORIGIN + round * period_ms + within;
            let id = Uuid::from_u64_pair(numbers.next(), numbers.next());
            Arrival { line, at, id, status: *now, reason }
        })
        .collect();
    // The log takes events as they happen.
    if matches!(plant, Plant::Sparse) {
        arrivals.sort_by_key(|arrival| arrival.at);
    }
    arrivals
}

struct Bench {
    partition: Partition,
    directory: Directory,
    names: Vec<String>,
    offset: i64,
    encoded: Vec<u8>,
}

impl Bench {
    fn new(lines: u32) -> Self {
        let names = (0..lines).map(|n| format!("plant-07/hall-3/line-{n:06}").replace('/', ".")).collect();
        Self {
            partition: Partition::new(FoldConfig::default()),
            directory: Directory::default(),
            names,
            offset: 0,
            encoded: Vec::new(),
        }
    }

    fn fold(&mut self, arrival: &Arrival) {
        let change = StatusChange {
            event_id: EventId(arrival.id),
            line_id: &self.names[arrival.line as usize],
            event_time: arrival.at,
            status: arrival.status,
            sequence: None,
            reason_code: arrival.reason,
            source: None,
            source_status: None,
        };
        let outcome = self.partition.fold(self.offset, arrival.at + 50, &change, &self.directory);
        black_box(outcome);
        self.offset += 1;
    }

    /// What a worker does at the end of a batch.
    fn commit(&mut self) {
        black_box(self.partition.drain());
        let encoded = &mut self.encoded;
        self.partition.visit_dirty(|line, _| {
            encoded.clear();
            line.encode(encoded);
            black_box(&*encoded);
        });
    }
}

fn speed(criterion: &mut Criterion, lines: u32) {
    const BATCH: usize = 10_000;
    let mut group = criterion.benchmark_group(format!("{lines} lines"));
    group.sampling_mode(SamplingMode::Flat).sample_size(15);
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
    for (plant, name) in PLANTS {
        let count = if lines > 100_000 { 1_000_000 } else { 200_000 };
        group.throughput(Throughput::Elements(count as u64));
        for drains in [false, true] {
            let rounds = i64::try_from(count / lines as usize).expect("it is small").max(1);
            let mut bench = Bench::new(lines);
            let mut first_round = 0;
            let origin = origin();
            let id = BenchmarkId::new(if drains { "fold+drain" } else { "fold" }, name);
            group.bench_function(id, |bencher| {
                // Time goes on from one sample to the next: what is measured is a plant that has run for a while.
                bencher.iter_custom(|samples| {
                    let mut took = Duration::ZERO;
                    for _ in 0..samples {
                        let arrivals = arrivals(plant, lines, count, first_round);
                        first_round += rounds;
                        let began = now(origin);
                        for batch in arrivals.chunks(BATCH) {
                            for arrival in batch {
                                bench.fold(arrival);
                            }
                            if drains {
                                bench.commit();
                            }
                        }
                        took += now(origin).saturating_sub(began);
                        bench.commit();
                    }
                    took
                });
            });
        }
    }
    group.finish();
}

/// The time this thread has run, where the system tells it: a busy machine then disturbs less. Elsewhere, wall time.
fn now(origin: Instant) -> Duration {
    let on_cpu = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = on_cpu.and_then(|text| text.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| origin.elapsed(), Duration::from_nanos)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark is not the core: it has a clock")]
fn origin() -> Instant {
    Instant::now()
}

fn memory() {
    let line_after = |count: i64, period_ms: i64| {
        let mut bench = Bench::new(1);
        let count = usize::try_from(count).expect("it is small");
        for (index, mut arrival) in arrivals(Plant::Rounds, 1, count, 0).into_iter().enumerate() {
            arrival.at = ORIGIN + i64::try_from(index).expect("it is small") * period_ms;
            arrival.reason = None;
            if count == 1 {
                arrival.status = LineStatus::Running;
            }
            bench.fold(&arrival);
        }
        let name = bench.names[0].clone();
        bench.partition.line(&name).map_or(0, Line::memory_bytes)
    };
    println!("struct Line            {:>8} B", size_of::<Line>());
    println!("at rest, one event     {:>8} B a line", line_after(1, 60_000));
    println!("a round of the plant   {:>8} B a line", line_after(1000, 60_000));
    println!("a full set of events   {:>8} B a line", line_after(2000, 1_000));
}

fn main() {
    memory();
    let mut criterion = Criterion::default().configure_from_args();
    let only = std::env::var("ANDON_BENCH_LINES").ok();
    for lines in [5_000, 500_000] {
        if only.as_ref().is_none_or(|only| *only == lines.to_string()) {
            speed(&mut criterion, lines);
        }
    }
    criterion.final_summary();
}
