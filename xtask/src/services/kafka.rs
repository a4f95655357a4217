//! Apache Kafka in KRaft mode, one node or three, from its jars: no container, no installation. The data is fresh at
//! every start; a test that needs a topic makes it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::folder;
use super::process::Background;
use crate::shell::{await_until, failed, has, root, run};

/// Names a broker that runs already; then none is started.
const GIVEN: &str = "ANDON_TEST_KAFKA";

/// How long a cluster may take to answer.
const START: Duration = Duration::from_secs(90);

const MISSING: &str = "\
needs Java 17 or newer and Maven, to run Apache Kafka for the tests, or a broker that runs already:
  - Debian, Ubuntu: apt-get install --no-install-recommends openjdk-17-jre-headless maven (or `cargo xtask setup`)
  - a broker of your own: ANDON_TEST_KAFKA=host:port. It must have an authorizer with
    `allow.everyone.if.no.acl.found=true`, since tests forbid writes and allow them again, and no data you would miss";

/// The broker that the environment names.
pub(super) fn given() -> Option<String> {
    std::env::var(GIVEN).ok().filter(|given| !given.is_empty())
}

/// Whether the broker that the environment names answers.
pub(super) fn check_given(given: &str) -> Result<(), String> {
    let first = given.split(',').next().unwrap_or(given);
    if !answers(first) {
        return Err(format!("{GIVEN} names `{first}`, and no Kafka broker answers there"));
    }
    println!("kafka: {given}, as {GIVEN} says");
    Ok(())
}

/// Starts the cluster, unless it runs.
pub(super) fn up(nodes: u32) -> Result<(), String> {
    let running = nodes_on_disk().len() as u32;
    if is_up() && running == nodes {
        println!("kafka: runs already");
        return Ok(());
    }
    down()?;
    if !has("java", "-version") || !has("mvn", "--version") {
        return Err(MISSING.to_owned());
    }
    let began = Instant::now();
    let jars = jars()?;
    let home = home();
    if home.exists() {
        std::fs::remove_dir_all(&home).map_err(failed("remove the old data in", &home))?;
    }
    let nodes = Node::plan(nodes)?;
    nodes.iter().try_for_each(|node| node.format(&nodes, &jars))?;
    nodes.iter().try_for_each(|node| node.start(&jars))?;
    let deadline = Instant::now() + START;
    for node in &nodes {
        await_until(deadline, || node.process().id().is_none() || answers(&node.address()));
        if node.process().id().is_none() || !answers(&node.address()) {
            down()?;
            return Err(format!(
                "node {} of Kafka did not come up; see {} and server.log beside it",
                node.number,
                node.folder.join("stdout.log").display()
            ));
        }
    }
    let addresses: Vec<String> = nodes.iter().map(Node::address).collect();
    std::fs::write(env_file(), format!("{GIVEN}={}\n", addresses.join(",")))
        .map_err(failed("write", &env_file()))?;
    println!("kafka: {} after {:.1} s", addresses.join(","), began.elapsed().as_secs_f64());
    Ok(())
}

/// Stops every node that was started here.
pub(super) fn down() -> Result<(), String> {
    let nodes = nodes_on_disk();
    if env_file().exists() {
        std::fs::remove_file(env_file()).map_err(failed("remove", &env_file()))?;
    }
    for process in nodes.iter().map(|folder| process_of(folder)) {
        if let Some(id) = process.id() {
            process.stop()?;
            println!("kafka: stopped process {id}");
        }
    }
    Ok(())
}

/// Whether all nodes run.
pub(super) fn is_up() -> bool {
    let nodes = nodes_on_disk();
    env_file().exists() && !nodes.is_empty() && nodes.iter().all(|folder| process_of(folder).id().is_some())
}

/// Says which nodes run.
pub(super) fn status() {
    let address = std::fs::read_to_string(env_file()).unwrap_or_default();
    match given() {
        Some(given) => println!("kafka: {given}, as {GIVEN} says"),
        None if is_up() => println!("kafka: up, {}", address.trim()),
        None => println!("kafka: down"),
    }
    for folder in nodes_on_disk() {
        let state = process_of(&folder).id().map_or("not running".to_owned(), |id| format!("process {id}"));
        println!("  {}: {state}", folder.display());
    }
}

fn home() -> PathBuf {
    folder().join("kafka")
}

fn env_file() -> PathBuf {
    folder().join("kafka.env")
}

/// The folders of the nodes there are.
fn nodes_on_disk() -> Vec<PathBuf> {
    (1..=3).map(|number| home().join(format!("node{number}"))).filter(|folder| folder.exists()).collect()
}

/// The process of the node in `folder`: the path of its settings stands in the command line.
fn process_of(folder: &Path) -> Background {
    Background::new(folder.join("pid"), folder.join("server.properties").display().to_string())
}

/// The broker's jars, fetched once for each state of the list.
fn jars() -> Result<PathBuf, String> {
    let list = root().join("xtask/services/kafka-pom.xml");
    let wanted = std::fs::read_to_string(&list).map_err(failed("read", &list))?;
    let jars = folder().join("kafka-jars");
    let have = jars.join("pom.xml");
    if std::fs::read_to_string(&have).is_ok_and(|have| have == wanted) {
        return Ok(jars);
    }
    println!("kafka: fetching the broker's jars");
    if jars.exists() {
        std::fs::remove_dir_all(&jars).map_err(failed("remove", &jars))?;
    }
    std::fs::create_dir_all(&jars).map_err(failed("create", &jars))?;
    let mut maven = Command::new("mvn");
    maven
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(&list)
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", jars.display()));
    run("mvn", &mut maven)?;
    // Last, so that a fetch which was cut short is not taken for a whole one.
    std::fs::write(&have, wanted).map_err(failed("write", &have))?;
    Ok(jars)
}

struct Node {
    number: u32,
    port: u16,
    controller_port: u16,
    folder: PathBuf,
}

impl Node {
    /// Nodes on ports that are free now.
    fn plan(count: u32) -> Result<Vec<Self>, String> {
        // All are held until all are known, so that no port is given twice.
        let held = (0..count * 2)
            .map(|_| TcpListener::bind(("127.0.0.1", 0)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("could not find free ports: {error}"))?;
        let ports = held
            .iter()
            .map(|listener| listener.local_addr().map(|address| address.port()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("could not find free ports: {error}"))?;
        Ok(ports
            .chunks_exact(2)
            .zip(1..)
            .map(|(ports, number)| Self {
                number,
                port: ports[0],
                controller_port: ports[1],
                folder: home().join(format!("node{number}")),
            })
            .collect())
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn process(&self) -> Background {
        process_of(&self.folder)
    }

    /// Writes the settings and an empty store.
    fn format(&self, all: &[Self], jars: &Path) -> Result<(), String> {
        std::fs::create_dir_all(&self.folder).map_err(failed("create", &self.folder))?;
        let settings = self.folder.join("server.properties");
        std::fs::write(&settings, self.settings(all)).map_err(failed("write", &settings))?;
        // The cluster's id is 16 bytes in base64, the same for every node. It names nothing but this cluster.
        let mut command = self.java(jars, "format.log", "64m");
        command
            .args(["kafka.tools.StorageTool", "format", "-t", "QW5kb25UZXN0Q2x1c3Rlcg", "-c"])
            .arg(&settings);
        let output =
            command.output().map_err(|error| format!("could not format the store of Kafka: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("could not format the store of Kafka: {}", said.trim()))
    }

    fn start(&self, jars: &Path) -> Result<(), String> {
        let mut command = self.java(jars, "server.log", "512m");
        command.arg("kafka.Kafka").arg(self.folder.join("server.properties"));
        self.process().start(&mut command, &self.folder.join("stdout.log"))
    }

    /// A Java with little memory, quick to start rather than quick for days.
    fn java(&self, jars: &Path, log: &str, heap: &str) -> Command {
        let mut command = Command::new("java");
        command
            .arg(format!("-Xmx{heap}"))
            .args(["-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"])
            .arg(format!("-Dkafka.log.file={}", self.folder.join(log).display()))
            .arg(format!(
                "-Dlog4j2.configurationFile={}",
                root().join("xtask/services/kafka-log4j2.properties").display()
            ))
            .arg("-cp")
            .arg(format!("{}/*", jars.display()))
            .current_dir(&self.folder);
        command
    }

    fn settings(&self, all: &[Self]) -> String {
        let voters: Vec<String> =
            all.iter().map(|node| format!("{}@127.0.0.1:{}", node.number, node.controller_port)).collect();
        let (copies, in_sync) = if all.len() >= 3 { (3, 2) } else { (1, 1) };
        let mut text = format!(
            "\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={log}
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={copies}
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
share.coordinator.state.topic.replication.factor={copies}
share.coordinator.state.topic.min.isr={in_sync}
",
            number = self.number,
            voters = voters.join(","),
            port = self.port,
            controller_port = self.controller_port,
            log = self.folder.join("log").display(),
        );
        SETTINGS.iter().for_each(|(name, value)| text.push_str(&format!("{name}={value}\n")));
        text
    }
}

const SETTINGS: [(&str, &str); 18] = [
    // A typo in a topic's name is an error, not a topic.
    ("auto.create.topics.enable", "false"),
    ("offsets.topic.num.partitions", "4"),
    ("transaction.state.log.num.partitions", "4"),
    // The first member of a group need not wait for others, and a test may have a dead one missed soon.
    ("group.initial.rebalance.delay.ms", "0"),
    ("group.min.session.timeout.ms", "1000"),
    // Transactions of the dead are found within a second of their timeout, not ten.
    ("transaction.abort.timed.out.transaction.cleanup.interval.ms", "1000"),
    ("broker.heartbeat.interval.ms", "500"),
    ("broker.session.timeout.ms", "3000"),
    ("controlled.shutdown.enable", "false"),
    // Tests have hundreds of small partitions.
    ("log.index.size.max.bytes", "1048576"),
    ("log.cleaner.dedupe.buffer.size", "4194304"),
    ("log.cleaner.threads", "1"),
    // Tests forbid writes to their topics for a while, which is the honest way to have one refused.
    ("authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer"),
    ("allow.everyone.if.no.acl.found", "true"),
    // The nodes must be somebody to each other, or the authorizer lets none in before it has read its rules, which it
    // reads from the others. The word guards nothing: everything here is open to whoever reaches loopback.
    ("super.users", "User:node"),
    ("sasl.mechanism.controller.protocol", "PLAIN"),
    ("listener.name.controller.sasl.enabled.mechanisms", "PLAIN"),
    (
        "listener.name.controller.plain.sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required \
         username=\"node\" password=\"node\" user_node=\"node\";",
    ),
];

/// Whether a broker answers `ApiVersions`, the first thing that every client asks.
fn answers(address: &str) -> bool {
    // Length 10; request 18, version 0; correlation id 1; no client id.
    const REQUEST: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(&REQUEST)?;
        let mut head = [0; 10];
        stream.read_exact(&mut head)?;
        Ok(head[4..] == [0, 0, 0, 1, 0, 0]) // the same correlation id, and no error
    };
    ask().unwrap_or(false)
}
