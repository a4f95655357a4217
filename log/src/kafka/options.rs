//! How the log is reached, and its limits.

/// How a log on Kafka is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Brokers to begin with: `host:port`, with commas between.
    pub bootstrap: String,
    /// Stands before the name of every topic. Default: nothing.
    pub topic_prefix: String,
    /// The consumer group of the workers. Default `andon-processor`.
    pub group: String,
    /// Names this process among all that append: a name that no other living one has, and that a process which
    /// takes its place after a restart has again. Default `0`.
    pub instance: String,
    /// The clock by which "caught up" is said: ms since the epoch. It should agree with the brokers' clocks to less
    /// than a second. Default: the system's.
    pub clock: fn() -> i64,
    /// "Caught up" is said of so many ms ago: a record gets its time a moment before it can be read, which is longer
    /// where it must reach other brokers first. Default 500.
    pub visible_ms_max: u32,
    /// Whether a worker that is dropped leaves the group, so that its partitions move at once; else they wait for it
    /// through `session_ms`, and a restart in that time moves nothing. Default: it stays.
    pub leaves_group: bool,
    /// After so many ms without a sign of life a worker's partitions go to others. The brokers bound it. Default 30 s.
    pub session_ms: u32,
    /// The longest a worker may take between two polls, in ms; restoring a partition counts. Default 300 s.
    pub poll_ms_max: u32,
    /// After so many ms the brokers abort a transaction that nobody ends. Default 5 s.
    pub transaction_ms_max: u32,
    /// The longest wait for the brokers to answer, in ms, before an operation fails. Default 30 s.
    pub answer_ms_max: u32,
    /// Most records of one read. Default 10,000.
    pub read_records_max: usize,
    /// Most bytes of one read, exceeded only by a single larger record. Default 8 MiB.
    pub read_bytes_max: usize,
    /// Most bytes that the client fetches ahead of one worker or reader. Default 64 MiB.
    pub fetch_bytes_max: usize,
    /// Most records of one append. Default 100,000.
    pub append_records_max: usize,
    /// Most bytes of one append. Default 64 MiB.
    pub append_bytes_max: usize,
    /// Most records of one commit of the worker. Default 1,000,000.
    pub commit_records_max: usize,
    /// Most bytes of one commit of the worker. Default 512 MiB; never more than 1 GiB.
    pub commit_bytes_max: usize,
    /// Most bytes of one record with its key and headers; the topics' `max.message.bytes` must be as large. Default
    /// 1,000,000.
    pub record_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bootstrap: String::new(),
            topic_prefix: String::new(),
            group: "andon-processor".to_owned(),
            instance: "0".to_owned(),
            clock: system_clock,
            visible_ms_max: 500,
            leaves_group: false,
            session_ms: 30_000,
            poll_ms_max: 300_000,
            transaction_ms_max: 5_000,
            answer_ms_max: 30_000,
            read_records_max: 10_000,
            read_bytes_max: 8 << 20,
            fetch_bytes_max: 64 << 20,
            append_records_max: 100_000,
            append_bytes_max: 64 << 20,
            commit_records_max: 1_000_000,
            commit_bytes_max: 512 << 20,
            record_bytes_max: 1_000_000,
        }
    }
}

/// The system's clock, in ms since the epoch.
fn system_clock() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}
