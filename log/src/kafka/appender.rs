//! Appends: every append is whole in one transaction. A thread takes all that wait and puts them into one, so that
//! many small ones cost as few transactions as the brokers manage.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::fault::{Fault, failed};
use super::transaction::{Failed, Transactional};
use super::{Shared, clients, limits};
use crate::{Appender, Error, Offset, Outputs};

const APPEND: &str = "append to the log";

/// Most appends that wait; a further one waits to be let in.
const WAITING_MAX: usize = 64;

struct Request {
    records: Outputs,
    answer: SyncSender<Result<Vec<Offset>, Error>>,
}

/// The thread, and the way to it. It ends with the last appender and the log.
pub(super) struct Appending {
    requests: Mutex<Option<SyncSender<Request>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Appending {
    pub(super) fn start(shared: &Arc<Shared>) -> Result<Self, Error> {
        let options = &shared.options;
        let id = format!("{}andon-appender-{}", options.topic_prefix, options.instance);
        let producer = Transactional::open(shared, clients::producer(options, &id))?;
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let shared = shared.clone();
        let thread = std::thread::Builder::new()
            .name("log-appender".to_owned())
            .spawn(move || run(&shared, producer, &receiver))
            .map_err(|error| Error::Storage { action: "start the log's appender", source: error.into() })?;
        Ok(Self { requests: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    fn way(&self) -> Option<SyncSender<Request>> {
        self.requests.lock().expect("nothing panics while it looks for the thread").clone()
    }
}

impl Drop for Appending {
    fn drop(&mut self) {
        // Without a way to it, the thread finishes what waits and ends.
        drop(self.requests.lock().expect("nothing panics while it looks for the thread").take());
        if let Some(thread) = self.thread.lock().expect("nothing panics while it ends the thread").take() {
            // A panic of the thread was told when it happened.
            drop(thread.join());
        }
    }
}

fn run(shared: &Shared, mut producer: Transactional, requests: &Receiver<Request>) {
    while let Ok(first) = requests.recv() {
        let mut records = first.records.clone();
        let mut together = vec![first];
        while let Ok(next) = requests.try_recv() {
            let is_full = records.len() + next.records.len() > shared.options.append_records_max
                || records.byte_len() + next.records.byte_len() > shared.options.append_bytes_max;
            if is_full {
                answer(shared, &mut producer, &records, together);
                records.clear();
                together = Vec::new();
            }
            records.extend(&next.records);
            together.push(next);
        }
        answer(shared, &mut producer, &records, together);
    }
}

/// Writes the records of these requests, and answers each.
fn answer(shared: &Shared, producer: &mut Transactional, records: &Outputs, requests: Vec<Request>) {
    let count = records.len();
    match producer.run(shared, records, None) {
        Ok(offsets) if offsets.len() == count => {
            let mut offsets = offsets.into_iter();
            for request in requests {
                let own = offsets.by_ref().take(request.records.len()).collect();
                tell(&request, Ok(own));
            }
        }
        // One that nothing can come of must not take the others along.
        Err(Failed::Nothing(_)) if requests.len() > 1 => {
            for request in requests {
                let own = request.records.clone();
                answer(shared, producer, &own, vec![request]);
            }
        }
        Ok(_) => requests.iter().for_each(|request| tell(request, Err(failed(APPEND, Fault::InDoubt)))),
        Err(Failed::Nothing(cause)) => {
            let text = cause.fault.to_string();
            requests
                .iter()
                .for_each(|request| tell(request, Err(failed(APPEND, Fault::Kafka(text.clone().into())))));
        }
        Err(Failed::Unknown(_)) => {
            requests.iter().for_each(|request| tell(request, Err(failed(APPEND, Fault::InDoubt))));
        }
    }
}

fn tell(request: &Request, result: Result<Vec<Offset>, Error>) {
    // Whoever asked waits for it; if it is gone, nobody is left to be told.
    drop(request.answer.send(result));
}

/// Appends to the log. Clones share a thread.
#[derive(Clone)]
pub struct KafkaAppender {
    shared: Arc<Shared>,
    appending: Arc<Appending>,
}

impl KafkaAppender {
    pub(super) fn new(shared: Arc<Shared>, appending: Arc<Appending>) -> Self {
        Self { shared, appending }
    }
}

impl Appender for KafkaAppender {
    /// An error that names a doubt leaves open whether the records were written; every other one says that they were
    /// not.
    fn append(&self, records: &Outputs) -> Result<Vec<Offset>, Error> {
        let options = &self.shared.options;
        limits::check(&self.shared, records, options.append_records_max, options.append_bytes_max)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let (sender, receiver) = sync_channel(1);
        let way = self.appending.way().ok_or(Error::Closed)?;
        way.send(Request { records: records.clone(), answer: sender }).map_err(|_| Error::Closed)?;
        drop(way);
        receiver.recv().map_err(|_| Error::Closed)?
    }
}
