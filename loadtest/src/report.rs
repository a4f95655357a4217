//! What was measured, as medians over the runs.

use std::time::Duration;

/// Measurements by name, in the order in which they were first made.
pub(crate) struct Report {
    events: u64,
    rows: Vec<(String, Vec<f64>)>,
    costs: Vec<(String, Vec<f64>)>,
}

impl Report {
    pub(crate) fn new(events: u64) -> Self {
        Self { events, rows: Vec::new(), costs: Vec::new() }
    }

    /// Takes in one measurement: how long the events of a run took.
    pub(crate) fn took(&mut self, name: &str, time: Duration) {
        let seconds = time.as_secs_f64();
        eprintln!("{name}: {seconds:.2} s");
        match self.rows.iter_mut().find(|(known, _)| known == name) {
            Some((_, times)) => times.push(seconds),
            None => self.rows.push((name.to_owned(), vec![seconds])),
        }
    }

    /// Takes in what a run cost: processor time, and the most memory of the process.
    pub(crate) fn cost(&mut self, name: &str, cpu: Option<Duration>, memory: Option<u64>) {
        let micros = cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / self.events as f64);
        let mebibytes = memory.map(|bytes| bytes as f64 / f64::from(1 << 20));
        for (what, value) in [("CPU us an event", micros), ("peak memory MiB", mebibytes)] {
            let Some(value) = value else { continue };
            let name = format!("{name}: {what}");
            match self.costs.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => self.costs.push((name, vec![value])),
            }
        }
    }

    /// Prints the medians, with the least and the most.
    pub(crate) fn print(&mut self) {
        println!("{:58} {:>12} {:>22}", "", "events/s", "min - max");
        for (name, times) in &mut self.rows {
            times.sort_by(f64::total_cmp);
            let rate = |seconds: f64| self.events as f64 / seconds.max(1e-9);
            let median = rate(times[times.len() / 2]);
            let (least, most) = (rate(times[times.len() - 1]), rate(times[0]));
            println!("{name:58} {median:>12.0} {:>22}", format!("{least:.0} - {most:.0}"));
        }
        for (name, values) in &mut self.costs {
            values.sort_by(f64::total_cmp);
            println!("{name:58} {:>12.2}", values[values.len() / 2]);
        }
    }
}
