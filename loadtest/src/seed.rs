//! The load that the system before this one was measured with: some users, each asking again as soon as it has its
//! answer. Each registers an address, then reads its subscriptions, the statuses, the lines, one line, its downtimes
//! and one of them, again and again.

use std::path::Path;
use std::time::Duration;

use crate::Failure;
use crate::child::{Andon, agent};
use crate::plant::Plant;
use crate::process;
use crate::wire::{self, closed_loop};

pub(crate) fn run(program: &Path, users: usize, seconds: f64) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let andon = Andon::start(program, folder.path(), &[])?;
    let lines = 20;
    eprintln!("filling: {lines} lines, a day of reports every 10 minutes");
    let events: Vec<_> = Plant::new(lines, 1).every_min(10).take(lines as usize * 144).collect();
    andon.fill(&events)?;
    let mut requests = Vec::new();
    for user in 0..users as u64 {
        let line = format!("line-{:06}", user % lines);
        let body = serde_json::json!({ "email": format!("user-{user}@plant.example"), "node": line });
        agent()
            .post(format!("{}/v1/subscriptions", andon.api))
            .content_type("application/json")
            .send(body.to_string())?;
        let downtime = format!("/v1/lines/{line}/downtime?limit=10");
        let page = agent().get(format!("{}{downtime}", andon.api)).call()?.body_mut().read_to_string()?;
        let page: serde_json::Value = serde_json::from_str(&page)?;
        let id = page["items"][0]["id"].as_str().ok_or("a line of the plant never stopped")?.to_owned();
        let search = serde_json::json!({ "email": format!("user-{user}@plant.example") }).to_string();
        requests.push(vec![
            wire::post("/v1/subscriptions/search", &search),
            wire::get("/v1/statuses"),
            wire::get("/v1/lines"),
            wire::get(&format!("/v1/lines/{line}")),
            wire::get(&downtime),
            wire::get(&format!("/v1/downtime/{id}")),
        ]);
    }
    eprintln!("{users} users ask for {seconds} s");
    let load = closed_loop(andon.address()?, requests, Duration::from_secs_f64(seconds))?;
    println!("requests/s        {:>10.0}", load.per_second());
    println!("requests          {:>10}", load.requests);
    println!("errors            {:>10}", load.errors);
    for (name, share) in [("p50 ms", 0.5), ("p90 ms", 0.9), ("p99 ms", 0.99)] {
        println!("{name:17} {:>10.2}", load.latency.quantile_ms(share));
    }
    println!("max ms            {:>10.2}", load.latency.max_ms());
    if let Some(bytes) = process::memory_max(andon.id()) {
        println!("peak memory MiB   {:>10.0}", bytes as f64 / f64::from(1 << 20));
    }
    if load.errors > 0 { Err(format!("{} answers were no success", load.errors).into()) } else { Ok(()) }
}
