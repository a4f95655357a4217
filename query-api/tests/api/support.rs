//! An andon without a socket.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use andon_domain::SubscriberId;
use andon_log::sqlite::{Options, SqliteAppender, SqliteLog};
use andon_log::{Appender, Offset, Outputs, Read, Reader, Record, RecordBatch, Topic};
use andon_processor::{Projector, ProjectorConfig, ProjectorMetrics, Worker, WorkerConfig, WorkerMetrics};
use andon_query_api::{
    Api, ApiConfig, ApiMetrics, EventTail, EventsConfig, Server, ServerConfig, ServerMetrics, router,
};
use andon_store::sqlite::{SqliteAccounts, SqliteViews};
use andon_store::{Accounts, ViewBatch, Views};
use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::http::{HeaderMap, Request};
use prometheus::Registry;
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tower::ServiceExt;

pub(crate) struct Fixture {
    pub(crate) runtime: Runtime,
    router: Router,
    pub(crate) log: SqliteLog,
    pub(crate) views: Arc<dyn Views>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) appends: Arc<Appends>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) registry: Registry,
    pub(crate) folder: TempDir,
    stop: Arc<AtomicBool>,
    pub(crate) stop_http: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

/// The log's appender, and every batch that was given to it.
pub(crate) struct Appends {
    log: SqliteAppender,
    pub(crate) batches: Mutex<Vec<Outputs>>,
}

impl Appender for Appends {
    fn append(&self, records: &Outputs) -> Result<Vec<Offset>, andon_log::Error> {
        self.batches.lock().unwrap().push(records.clone());
        self.log.append(records)
    }
}

/// Stands for the folder of mails.
#[derive(Default)]
pub(crate) struct Outbox {
    pub(crate) is_broken: AtomicBool,
    pub(crate) erased: Mutex<Vec<SubscriberId>>,
}

impl Outbox {
    fn erase(&self, subscriber: SubscriberId) -> std::io::Result<()> {
        if self.is_broken.load(Ordering::Acquire) {
            return Err(std::io::Error::other("the folder is read-only"));
        }
        self.erased.lock().unwrap().push(subscriber);
        Ok(())
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The fields that a refusal names.
    pub(crate) fn fields(&self) -> Vec<String> {
        let json = self.json();
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

impl Fixture {
    /// Everything runs.
    pub(crate) fn new() -> Self {
        Self::with(true, ApiConfig::default())
    }

    /// With or without the roles behind the API.
    pub(crate) fn with(has_roles: bool, config: ApiConfig) -> Self {
        Self::partitioned(has_roles, config, 1)
    }

    /// As if the input had so many partitions; the log beneath has one.
    pub(crate) fn partitioned(has_roles: bool, config: ApiConfig, partitions: u32) -> Self {
        Self::build(
            has_roles,
            config,
            partitions,
            EventsConfig { wait_ms_max: 20, ..EventsConfig::default() },
        )
    }

    pub(crate) fn build(has_roles: bool, config: ApiConfig, partitions: u32, events: EventsConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SqliteLog::open(folder.path(), Options::default()).unwrap();
        Self::assemble(folder, log, has_roles, config, partitions, events)
    }

    /// Another process over the same log, with views of its own in which nothing is yet.
    pub(crate) fn beside(other: &Self) -> Self {
        let events = EventsConfig { wait_ms_max: 20, ..EventsConfig::default() };
        let folder = tempfile::tempdir().unwrap();
        Self::assemble(folder, other.log.clone(), false, ApiConfig::default(), 1, events)
    }

    fn assemble(
        folder: TempDir,
        log: SqliteLog,
        has_roles: bool,
        config: ApiConfig,
        partitions: u32,
        events: EventsConfig,
    ) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let store = andon_store::sqlite::Options::default();
        let views: Arc<dyn Views> = Arc::new(SqliteViews::open(folder.path(), &store).unwrap());
        let accounts: Arc<dyn Accounts> = Arc::new(SqliteAccounts::open(folder.path(), &store).unwrap());
        let registry = Registry::new();
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        if has_roles {
            let fold = andon_domain::FoldConfig { is_strict: true, ..andon_domain::FoldConfig::default() };
            let worker = Worker::new(
                Box::new(log.worker().unwrap()),
                Box::new(log.reader(&[(Topic::Directory, 0, 0)]).unwrap()),
                WorkerConfig { fold, wait_ms_max: 20, ..WorkerConfig::default() },
                WorkerMetrics::new(&registry),
            );
            let ends = stop.clone();
            threads.push(std::thread::spawn(move || worker.run(&ends, &|_| ()).unwrap()));
        }
        let starts = EventTail::TOPICS.map(|topic| (topic, 0, log.end_offset(topic, 0).unwrap()));
        let clock: Arc<dyn Fn() -> i64 + Send + Sync> = Arc::new(|| jiff::Timestamp::now().as_millisecond());
        let tail = EventTail::new(
            Box::new(log.reader(&starts).unwrap()),
            &starts,
            views.clone(),
            events,
            clock.clone(),
            &registry,
            runtime.handle().clone(),
        );
        let events = tail.events();
        let ends = stop.clone();
        threads.push(std::thread::spawn(move || tail.run(&ends, &|_| ()).unwrap()));
        let appends = Arc::new(Appends { log: log.appender(), batches: Mutex::default() });
        let outbox = Arc::new(Outbox::default());
        let stop_http = watch::channel(false).0;
        let erase = outbox.clone();
        let router = router(Api {
            views: views.clone(),
            accounts: accounts.clone(),
            appender: appends.clone(),
            partitions,
            config,
            metrics: ApiMetrics::new(&registry),
            clock,
            erase: Arc::new(move |subscriber| erase.erase(subscriber)),
            events,
            draining: stop_http.subscribe(),
        });
        let mut fixture = Self {
            runtime,
            router,
            log,
            views,
            accounts,
            appends,
            outbox,
            registry,
            folder,
            stop,
            stop_http,
            threads,
        };
        if has_roles {
            fixture.project();
        }
        fixture
    }

    /// Starts the projector.
    pub(crate) fn project(&mut self) {
        let projector = Projector::new(
            Box::new(self.log.reader(&Projector::CHANGES.map(|topic| (topic, 0, 0))).unwrap()),
            Box::new(self.log.reader(&[(Topic::DeadLetters, 0, 0)]).unwrap()),
            self.views.clone(),
            ProjectorConfig { wait_ms_max: 20 },
            ProjectorMetrics::new(&self.registry),
            self.runtime.handle().clone(),
        );
        let ends = self.stop.clone();
        self.threads.push(std::thread::spawn(move || projector.run(&ends, &|_| ()).unwrap()));
    }

    /// A metric, summed over its labels.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name);
        let of = |metric: &prometheus::proto::Metric| {
            metric.get_counter().get_value() + metric.get_gauge().get_value()
        };
        family.map_or(0.0, |family| family.get_metric().iter().map(of).sum())
    }

    /// Serves on a port of its own, for what only a socket shows.
    pub(crate) fn listen(&self) -> SocketAddr {
        let listener = self.runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server {
            listener,
            router: self.router.clone(),
            config: ServerConfig::default(),
            tls: None,
            metrics: ServerMetrics::new(&Registry::new()),
        };
        self.runtime.spawn(server.run(self.stop_http.subscribe()));
        address
    }

    /// The router as it prints itself, its paths among it.
    pub(crate) fn printed_router(&self) -> String {
        format!("{:?}", self.router)
    }

    /// Writes into the views what a projector would have written.
    pub(crate) fn apply(&self, batch: &ViewBatch) {
        self.runtime.block_on(self.views.apply(batch)).unwrap();
    }

    /// Every record of a topic.
    pub(crate) fn records(&self, topic: Topic) -> RecordBatch {
        let mut reader = self.log.reader(&[(topic, 0, 0)]).unwrap();
        let mut all = RecordBatch::default();
        while let Read::Records(_, batch) = reader.poll(Duration::ZERO).unwrap() {
            for record in batch.iter() {
                let Record { partition, offset, appended_at, key, value, .. } = record;
                all.push(partition, offset, appended_at, key, value, record.raw_headers());
            }
        }
        all
    }

    pub(crate) fn call(&self, method: &str, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        self.call_with(method, path, &[("content-type", content_type)], body)
    }

    pub(crate) fn call_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            // A stream has no end.
            let is_stream = headers.get("content-type").is_some_and(|value| value == "text/event-stream");
            let body = if is_stream { Body::empty() } else { response.into_body() };
            let bytes = to_bytes(body, 64 << 20).await.unwrap();
            Answer { status, headers, body: String::from_utf8(bytes.to_vec()).unwrap() }
        })
    }

    /// One request, answered as the router answers it.
    pub(crate) async fn serve(&self, request: Request<Body>) -> axum::response::Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Opens a stream of events.
    pub(crate) fn stream(&self, path: &str, headers: &[(&str, &str)]) -> Stream {
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = self.runtime.block_on(self.router.clone().oneshot(request)).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Stream { runtime: self.runtime.handle().clone(), body: response.into_body(), text: String::new() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "", "")
    }

    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.call(method, path, "application/json", body.to_string())
    }

    /// Registers lines and lets them report: (line, minute, status).
    pub(crate) fn report(&self, changes: &[(&str, i64, &str)]) {
        self.tell(changes);
        let now = jiff::Timestamp::now();
        self.until("the views to be up to date", || {
            let as_of = self.get("/v1/lines").json()["as_of"].clone();
            as_of.as_str().is_some_and(|as_of| as_of.parse::<jiff::Timestamp>().unwrap() > now)
        });
    }

    /// The same, and waits for nothing.
    pub(crate) fn tell(&self, changes: &[(&str, i64, &str)]) {
        let mut csv = String::from("line_id,event_time,status\n");
        for (line, minute, status) in changes {
            let at = jiff::Timestamp::from_second(1_767_592_800 + minute * 60).unwrap();
            csv.push_str(&format!("{line},{at},{status}\n"));
        }
        let answer = self.call("POST", "/v1/line-status", "text/csv", csv);
        assert_eq!(answer.status, 202, "{}", answer.body);
    }

    pub(crate) fn register(&self, lines: &[&str], area: &[&str]) {
        for line in lines {
            let path = format!("/v1/lines/{line}");
            let answer = self.send("PUT", &path, &serde_json::json!({ "path": area }));
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }

    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let began = Instant::now();
        while !is_so() {
            assert!(began.elapsed() < Duration::from_secs(30), "waited too long for {what}");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// The items of all pages of a list.
    pub(crate) fn walk(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        let separator = if path.contains('?') { '&' } else { '?' };
        loop {
            let answer = self.get(&format!("{path}{separator}limit={limit}{cursor}"));
            assert_eq!(answer.status, 200, "{}", answer.body);
            let page = answer.json();
            let found = page["items"].as_array().unwrap().clone();
            assert!(found.len() <= limit);
            items.extend(found);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            // A panic of a role has been printed; the test fails by what it waits for.
            drop(thread.join());
        }
    }
}

/// A stream of events, as a browser reads it.
pub(crate) struct Stream {
    runtime: tokio::runtime::Handle,
    body: Body,
    text: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

impl Stream {
    /// The next event; none once the stream has ended.
    pub(crate) fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let of =
                    |field: &str| block.lines().find_map(|line| line.strip_prefix(field)).map(str::to_owned);
                let (name, id, data) = (of("event: "), of("id: "), of("data: "));
                self.text = rest.to_owned();
                if let Some(name) = name {
                    let data = serde_json::from_str(&data.expect("each event has data")).unwrap();
                    return Some(Event { name, id, data });
                }
            }
            let frame = std::future::poll_fn(|context| Pin::new(&mut self.body).poll_frame(context));
            let limit = Duration::from_secs(30);
            let frame = self.runtime.block_on(async { tokio::time::timeout(limit, frame).await });
            let bytes = frame.expect("an event comes within a second").transpose().unwrap()?;
            self.text.push_str(std::str::from_utf8(&bytes.into_data().unwrap()).unwrap());
        }
    }

    /// The next event of that name.
    pub(crate) fn until(&mut self, name: &str) -> Event {
        self.collect(|event| event.name == name).pop().expect("there is at least one")
    }

    /// The events up to the first that is so.
    pub(crate) fn collect(&mut self, is_so: impl Fn(&Event) -> bool) -> Vec<Event> {
        let (mut events, began) = (Vec::new(), Instant::now());
        loop {
            assert!(began.elapsed() < Duration::from_secs(30), "waited too long, and got {events:?}");
            let event = self.next().unwrap_or_else(|| panic!("the stream ended after {events:?}"));
            events.push(event);
            if events.last().is_some_and(&is_so) {
                return events;
            }
        }
    }
}
