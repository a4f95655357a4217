//! The roles of an embedded andon, wired: one process, one log, one thread a role.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use andon_log::sqlite::SqliteLog;
use andon_log::{Appender, Topic, chain};
use andon_mailer::{Links, Mailer, Outbox, Parts, PublicUrl, Smtp, SmtpMetrics, Transport};
use andon_processor::{Projector, ProjectorConfig, ProjectorMetrics, Worker, WorkerConfig, WorkerMetrics};
use andon_query_api::{
    Api, ApiConfig, ApiMetrics, EventTail, Events, EventsConfig, Server, ServerConfig, ServerMetrics, Tls,
};
use andon_store::sqlite::{SqliteAccounts, SqliteViews};
use andon_store::{Accounts, LinkKey, Views};
use prometheus::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::{error, info};

use crate::admin::{self, Admin, RoleHealth, now_ms};
use crate::config::{Config, MailTransport};
use crate::exit::Failure;
use crate::sweep::Sweep;

/// An embedded andon that runs.
pub(crate) struct Running {
    /// Where the API is reached.
    pub(crate) api_url: String,
    /// Where the admin endpoint listens.
    pub(crate) admin_address: SocketAddr,
    log: SqliteLog,
    stop: Arc<AtomicBool>,
    stop_http: watch::Sender<bool>,
    threads: Vec<(&'static str, JoinHandle<()>)>,
    servers: Vec<tokio::task::JoinHandle<()>>,
    sweep: tokio::task::JoinHandle<()>,
    failed: watch::Receiver<bool>,
}

/// Whoever scrapes and probes needs few.
const ADMIN_CONNECTIONS_MAX: usize = 64;

/// Something that a role needs before it can begin.
fn needed(what: &'static str) -> impl Fn(&dyn std::error::Error) -> Failure {
    move |error| Failure::Other(format!("could not {what}: {}", chain(error)))
}

impl Running {
    /// Takes the addresses, once it is known that nobody reaches them without a token; opens the stores, starts the roles, then
    /// the servers.
    pub(crate) async fn start(config: &Config) -> Result<Self, Failure> {
        let folder = &config.data_dir;
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::Other(format!("could not make the data folder `{}`: {error}", folder.display()))
        })?;
        let accounts: Arc<dyn Accounts> = Arc::new(
            SqliteAccounts::open(folder, &andon_store::sqlite::Options::default())
                .map_err(|e| needed("open the accounts")(&e))?,
        );
        check_reachable(config, accounts.as_ref()).await?;
        let tls = config.http.tls.clone().map(Tls::open).transpose();
        let tls = tls.map_err(|error| Failure::Config(format!("`http.tls_cert`: {}", chain(&error))))?;
        let tls = tls.map(Arc::new);
        let (api_listener, api_address) = listen("listen", config.listen).await?;
        let (admin_listener, admin_address) = listen("admin.listen", config.admin).await?;
        let log_options = andon_log::sqlite::Options {
            retention_age_ms: config.log_age_ms_max,
            retention_bytes: config.log_bytes_max,
            ..andon_log::sqlite::Options::default()
        };
        let log = SqliteLog::open(folder, log_options).map_err(|e| needed("open the event log")(&e))?;
        let views: Arc<dyn Views> = Arc::new(
            SqliteViews::open(folder, &andon_store::sqlite::Options::default())
                .map_err(|e| needed("open the views")(&e))?,
        );
        let outbox = Outbox::open(&folder.join("outbox")).map_err(|e| needed("open the outbox")(&e))?;

        check_positions(&log, views.as_ref(), accounts.as_ref()).await?;
        let registry = Registry::new();
        let transport = transport(config, &outbox, &registry)?;
        let (failed_to, failed) = watch::channel(false);
        let (stop_http, http_stops) = watch::channel(false);
        let mut starting = Starting {
            runtime: tokio::runtime::Handle::current(),
            api_address,
            stop: Arc::new(AtomicBool::new(false)),
            failed_to,
            roles: Vec::new(),
            threads: Vec::new(),
        };
        starting.processor(&log, config, &registry)?;
        starting.projector(&log, &views, &registry).await?;
        starting.mailer(&log, &accounts, &views, transport, config, &registry).await?;

        let events = starting.events(&log, &views, &registry)?;

        let sweep = Sweep {
            log: log.clone(),
            views: views.clone(),
            accounts: accounts.clone(),
            outbox: outbox.clone(),
        };
        let sweep = tokio::spawn(sweep.run());
        let appender: Arc<dyn Appender> = Arc::new(log.appender());
        let api = andon_query_api::router(Api {
            views,
            accounts,
            appender,
            partitions: 1,
            config: ApiConfig {
                body_bytes_max: config.body_bytes_max,
                rows_max: config.rows_max,
                is_read_public: config.http.is_read_public,
                requests_max: config.http.requests_max,
                rate_per_s: config.http.rate_per_s,
                rate_burst: config.http.rate_burst,
                body_ms_max: config.http.body_ms_max,
                answer_ms_max: config.http.answer_ms_max,
                settle_ms_max: config.http.settle_ms_max,
                public_url: config.http.public_url.clone(),
                streams_max: config.streams_max,
                ..ApiConfig::default()
            },
            metrics: ApiMetrics::new(&registry),
            clock: Arc::new(now_ms),
            erase: Arc::new(move |subscriber| {
                outbox.erase(subscriber).map(drop).map_err(std::io::Error::other)
            }),
            events,
            draining: http_stops.clone(),
        });
        let roles = Arc::new(starting.roles);
        let api_url = format!("{}://{api_address}", if tls.is_some() { "https" } else { "http" });
        let metrics = ServerMetrics::new(&registry);
        // Its connections are not the API's: they must be served when those are too many, and they are counted nowhere.
        let admin_metrics = ServerMetrics::new(&Registry::new());
        let admin = Server {
            listener: admin_listener,
            router: admin::router(Admin { roles, registry }),
            config: ServerConfig { connections_max: ADMIN_CONNECTIONS_MAX, ..config.http.server.clone() },
            tls: None,
            metrics: admin_metrics,
        };
        let api =
            Server { listener: api_listener, router: api, config: config.http.server.clone(), tls, metrics };
        let servers = vec![tokio::spawn(api.run(http_stops.clone())), tokio::spawn(admin.run(http_stops))];
        Ok(Self {
            api_url,
            admin_address,
            log,
            stop: starting.stop,
            stop_http,
            threads: starting.threads,
            servers,
            sweep,
            failed,
        })
    }

    /// Returns once a role has failed.
    pub(crate) async fn failed(&self) {
        let mut failed = self.failed.clone();
        // The sender lives as long as the roles; when they are gone without a failure, nothing is to be told.
        if failed.wait_for(|failed| *failed).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Drains: no more requests, the batch in hand committed, everything closed. What does not end within its part of
    /// the limit is left behind, and is no reason to leave out the rest.
    pub(crate) async fn drain(self, limit: Duration) -> Result<(), Failure> {
        let mut faults: Vec<String> = Vec::new();
        self.stop_http.send_replace(true);
        self.sweep.abort();
        let until = tokio::time::Instant::now() + limit / 2;
        for mut server in self.servers {
            if tokio::time::timeout_at(until, &mut server).await.is_err() {
                server.abort();
                faults.push("some requests did not end in time".to_owned());
            }
        }
        self.stop.store(true, Ordering::Release);
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(|(name, thread)| (name, thread.join().is_ok())).collect::<Vec<_>>()
        });
        match tokio::time::timeout(limit / 2, joined).await {
            Ok(Ok(ends)) => {
                let panicked = ends.iter().filter(|(_, ended_well)| !ended_well);
                faults.extend(panicked.map(|(name, _)| format!("the {name} ended by a panic")));
                self.log.close();
            }
            Ok(Err(_)) | Err(_) => faults.push("some roles did not end in time".to_owned()),
        }
        if *self.failed.borrow() {
            faults.push("a role failed, see the log".to_owned());
        }
        if faults.is_empty() { Ok(()) } else { Err(Failure::Other(faults.join("; "))) }
    }
}

/// The roles while they are being started.
struct Starting {
    runtime: tokio::runtime::Handle,
    api_address: SocketAddr,
    stop: Arc<AtomicBool>,
    failed_to: watch::Sender<bool>,
    roles: Vec<Arc<RoleHealth>>,
    threads: Vec<(&'static str, JoinHandle<()>)>,
}

impl Starting {
    /// Starts one role on a thread of its own. A role that fails stops them all: a restart begins anew.
    fn spawn<E: std::error::Error>(
        &mut self,
        name: &'static str,
        run: impl FnOnce(&AtomicBool, &dyn Fn(bool)) -> Result<(), E> + Send + 'static,
    ) -> Result<(), Failure> {
        let health = RoleHealth::new(name);
        self.roles.push(health.clone());
        let (stop, failed_to) = (self.stop.clone(), self.failed_to.clone());
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // Said on every way out that was not asked for, a panic included.
                let guard = FailureGuard { failed_to, stop: stop.clone() };
                match run(&stop, &|is_ready| health.turned(is_ready)) {
                    Ok(()) => info!("the {name} ended"),
                    Err(cause) => error!("the {name} failed: {}", chain(&cause)),
                }
                drop(guard);
            })
            .map_err(|error| Failure::Other(format!("could not start the {name}: {error}")))?;
        self.threads.push((name, thread));
        Ok(())
    }

    fn processor(&mut self, log: &SqliteLog, config: &Config, registry: &Registry) -> Result<(), Failure> {
        let opened = needed("open the event log");
        let worker = Worker::new(
            Box::new(log.worker().map_err(|e| opened(&e))?),
            Box::new(log.reader(&[(Topic::Directory, 0, 0)]).map_err(|e| opened(&e))?),
            WorkerConfig { fold: config.fold.clone(), ..WorkerConfig::default() },
            WorkerMetrics::new(registry),
        );
        self.spawn("processor", move |stop, on_turn| worker.run(stop, on_turn))
    }

    async fn projector(
        &mut self,
        log: &SqliteLog,
        views: &Arc<dyn Views>,
        registry: &Registry,
    ) -> Result<(), Failure> {
        let opened = needed("open the event log");
        let positions = views.positions().await.map_err(|e| needed("read the views")(&e))?;
        let from = |topic| (topic, 0, Projector::start(&positions, topic, 0));
        let projector = Projector::new(
            Box::new(log.reader(&Projector::CHANGES.map(from)).map_err(|e| opened(&e))?),
            Box::new(log.reader(&[from(Topic::DeadLetters)]).map_err(|e| opened(&e))?),
            views.clone(),
            ProjectorConfig::default(),
            ProjectorMetrics::new(registry),
            self.runtime.clone(),
        );
        self.spawn("projector", move |stop, on_turn| projector.run(stop, on_turn))
    }

    fn events(
        &mut self,
        log: &SqliteLog,
        views: &Arc<dyn Views>,
        registry: &Registry,
    ) -> Result<Events, Failure> {
        let opened = needed("open the event log");
        let mut starts = Vec::new();
        for topic in EventTail::TOPICS {
            starts.push((topic, 0, log.end_offset(topic, 0).map_err(|e| opened(&e))?));
        }
        let tail = EventTail::new(
            Box::new(log.reader(&starts).map_err(|e| opened(&e))?),
            &starts,
            views.clone(),
            EventsConfig::default(),
            Arc::new(now_ms),
            registry,
            self.runtime.clone(),
        );
        let events = tail.events();
        self.spawn("events", move |stop, on_turn| tail.run(stop, on_turn))?;
        Ok(events)
    }

    async fn mailer(
        &mut self,
        log: &SqliteLog,
        accounts: &Arc<dyn Accounts>,
        views: &Arc<dyn Views>,
        transport: Box<dyn Transport>,
        config: &Config,
        registry: &Registry,
    ) -> Result<(), Failure> {
        let opened = needed("open the event log");
        let topic = Topic::NotificationCommands;
        let positions = accounts.positions().await.map_err(|e| needed("read the accounts")(&e))?;
        let known = positions.iter().find(|position| position.stream == topic.name()).map(|p| p.offset);
        // Empty accounts begin at the end of the log: what was decided before they existed is nobody's mail.
        let from = match known {
            Some(offset) => offset,
            None => {
                let end = log.end_offset(topic, 0).map_err(|e| opened(&e))?;
                let position =
                    andon_store::Position { stream: topic.name().to_owned(), partition: 0, offset: end };
                accounts.accept(&[], &[position]).await.map_err(|e| needed("write the accounts")(&e))?;
                end
            }
        };
        // The folder is ours alone: whoever claimed a delivery before is dead.
        accounts.end_leases(now_ms()).await.map_err(|e| needed("write the accounts")(&e))?;
        let defaults = andon_mailer::Config::default();
        let lease_ms = match config.mail_transport {
            MailTransport::Outbox => defaults.lease_ms,
            MailTransport::Smtp => config.smtp.timeouts.lease_ms(),
        };
        let links = match public_url(config, self.api_address)? {
            Some(url) => {
                let secret = accounts.secret(LinkKey::SECRET).await;
                Some(Links::new(url, LinkKey::new(secret.map_err(|e| needed("read the accounts")(&e))?)))
            }
            None => None,
        };
        let mailer = Mailer::new(Parts {
            reader: Box::new(log.reader(&[(topic, 0, from)]).map_err(|e| opened(&e))?),
            accounts: accounts.clone(),
            views: views.clone(),
            transport,
            config: andon_mailer::Config {
                from: config.mail_from.clone(),
                domain: config.mail_domain.clone(),
                notify_max_age_ms: config.fold.notify_age_ms_max,
                lease_ms,
                ..defaults
            },
            links,
            metrics: andon_mailer::Metrics::new(registry),
            clock: Arc::new(now_ms),
            runtime: self.runtime.clone(),
        })
        .map_err(|e| needed("start the mailer")(&e))?;
        self.spawn("mailer", move |stop, on_turn| mailer.run(stop, on_turn))
    }
}

/// The address in the links of mails: the one that was set, else ours where only this machine reaches it anyway.
fn public_url(config: &Config, api_address: SocketAddr) -> Result<Option<PublicUrl>, Failure> {
    let scheme = if config.http.tls.is_some() { "https" } else { "http" };
    let own = || api_address.ip().is_loopback().then(|| format!("{scheme}://{api_address}"));
    let url = config.http.public_url.as_ref().map(ToString::to_string).or_else(own);
    url.map(|url| url.parse::<PublicUrl>())
        .transpose()
        .map_err(|error| Failure::Config(format!("`http.public_url`: {error}")))
}

/// The way out for mails. The outbox stays what an erasure looks into: mails may lie there from before a mail server was set.
fn transport(config: &Config, outbox: &Outbox, registry: &Registry) -> Result<Box<dyn Transport>, Failure> {
    match config.mail_transport {
        MailTransport::Outbox => Ok(Box::new(outbox.clone())),
        MailTransport::Smtp => {
            let smtp = Smtp::open(config.smtp.transport(), SmtpMetrics::new(registry));
            Ok(Box::new(smtp.map_err(|error| Failure::Config(format!("`mail.smtp`: {}", chain(&error))))?))
        }
    }
}

/// Refuses to listen where other machines reach it as long as nobody needs a token.
async fn check_reachable(config: &Config, accounts: &dyn Accounts) -> Result<(), Failure> {
    let Some((key, address)) = config.reachable().next() else { return Ok(()) };
    if !accounts.tokens().await.map_err(|e| needed("read the accounts")(&e))?.is_empty() {
        return Ok(());
    }
    Err(Failure::Config(format!(
        "{key}: `{address}` is reachable from other machines, and there is no token yet; make one with \
         `andon token create --name NAME --scope read,ingest,subscribe,operate --data-dir {}`, or listen on a \
         loopback address such as 127.0.0.1",
        config.data_dir.display()
    )))
}

/// Refuses positions behind the end of the log, before any role begins: then a store belongs to another log, and everything
/// up to there would be passed over in silence.
async fn check_positions(log: &SqliteLog, views: &dyn Views, accounts: &dyn Accounts) -> Result<(), Failure> {
    let of_views = views.positions().await.map_err(|e| needed("read the views")(&e))?;
    let of_accounts = accounts.positions().await.map_err(|e| needed("read the accounts")(&e))?;
    for (store, remedy, positions) in [
        ("the views (`views.db`)", "delete them, they are made again", of_views),
        ("the accounts (`accounts.db`)", "restore the log they belong to", of_accounts),
    ] {
        for position in positions {
            let Some(topic) = Topic::ALL.into_iter().find(|topic| topic.name() == position.stream) else {
                continue;
            };
            let end =
                log.end_offset(topic, position.partition).map_err(|e| needed("open the event log")(&e))?;
            if position.offset > end {
                return Err(Failure::Other(format!(
                    "{store} have read `{}` up to offset {}, but the log ends at {end}: they belong to another log; {remedy}",
                    position.stream, position.offset
                )));
            }
        }
    }
    Ok(())
}

/// Tells that a role ended, unless it was asked to.
struct FailureGuard {
    failed_to: watch::Sender<bool>,
    stop: Arc<AtomicBool>,
}

impl Drop for FailureGuard {
    fn drop(&mut self) {
        if !self.stop.load(Ordering::Acquire) {
            self.failed_to.send_replace(true);
        }
    }
}

async fn listen(key: &str, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error: std::io::Error| {
        Failure::Unavailable(format!("could not listen on {address} (`{key}`): {error}; is it taken?"))
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
