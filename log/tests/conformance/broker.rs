//! As much of Kafka's protocol as the tests need beside the adapter: topics are made and deleted, writes to them are
//! forbidden and allowed. Each request is one of an old version, without tagged fields, that every broker still takes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// Long enough for any machine; a wait that takes so long has failed.
const DEADLINE: Duration = Duration::from_secs(60);

const MISSING: &str = "these tests need Apache Kafka: run `cargo xtask services up` (and `cargo xtask services down` \
                       afterwards), or name a broker in ANDON_TEST_KAFKA=host:port";

/// Numbers of the protocol.
mod number {
    pub(super) const CREATE_TOPICS: (i16, i16) = (19, 2);
    pub(super) const DELETE_TOPICS: (i16, i16) = (20, 1);
    pub(super) const DESCRIBE_ACLS: (i16, i16) = (29, 1);
    pub(super) const CREATE_ACLS: (i16, i16) = (30, 1);
    pub(super) const DELETE_ACLS: (i16, i16) = (31, 1);
    pub(super) const TOPIC: u8 = 2;
    pub(super) const PREFIXED: u8 = 4;
    pub(super) const ANY: u8 = 1;
    pub(super) const ALL: u8 = 2;
    pub(super) const WRITE: u8 = 4;
    pub(super) const DENY: u8 = 2;
    pub(super) const ALLOW: u8 = 3;
}

/// Brokers of one cluster.
pub(crate) struct Broker {
    addresses: Vec<String>,
}

impl Broker {
    /// Those that the environment names, or that the task of the workspace has started.
    pub(crate) fn of_tests() -> Self {
        let given = std::env::var("ANDON_TEST_KAFKA").ok().filter(|given| !given.is_empty());
        let bootstrap = given.or_else(started).expect(MISSING);
        Self { addresses: bootstrap.split(',').map(str::to_owned).collect() }
    }

    pub(crate) fn bootstrap(&self) -> String {
        self.addresses.join(",")
    }

    /// Makes a topic of one copy, with these settings.
    pub(crate) fn create_topic(&self, name: &str, partitions: u32, settings: &[(&str, &str)]) {
        let mut body = Body::default();
        body.int(1).text(name).int(partitions.cast_signed()).short(1).int(0);
        body.int(settings.len() as i32);
        for (setting, value) in settings {
            body.text(setting).text(value);
        }
        body.int(30_000).byte(0);
        let mut answer = self.ask(0, number::CREATE_TOPICS, &body);
        answer.skip(4 + 4);
        answer.text();
        answer.expect_no_error();
    }

    pub(crate) fn delete_topics(&self, names: &[String]) {
        let mut body = Body::default();
        body.int(names.len() as i32);
        for name in names {
            body.text(name);
        }
        body.int(30_000);
        self.ask(0, number::DELETE_TOPICS, &body);
    }

    /// Runs `during` while nobody may write to topics with this prefix.
    pub(crate) fn while_writes_are_forbidden(&self, prefix: &str, during: &mut dyn FnMut()) {
        use number::{ALL, ALLOW, DENY, WRITE};
        // As soon as there is a rule for a topic, what no rule allows is forbidden; so this one comes first and goes
        // last. The brokers take rules one by one.
        self.add_rule(prefix, (ALL, ALLOW));
        self.await_rules(prefix, 1);
        self.add_rule(prefix, (WRITE, DENY));
        self.await_rules(prefix, 2);
        during();
        self.remove_rule(prefix, (WRITE, DENY));
        self.await_rules(prefix, 1);
        self.remove_rule(prefix, (ALL, ALLOW));
        self.await_rules(prefix, 0);
    }

    fn add_rule(&self, prefix: &str, (operation, permission): (u8, u8)) {
        let mut body = Body::default();
        body.int(1).rule(prefix, Some("User:*"), Some("*"), operation, permission);
        let mut answer = self.ask(0, number::CREATE_ACLS, &body);
        answer.skip(4 + 4);
        answer.expect_no_error();
    }

    fn remove_rule(&self, prefix: &str, (operation, permission): (u8, u8)) {
        let mut body = Body::default();
        body.int(1).rule(prefix, None, None, operation, permission);
        let mut answer = self.ask(0, number::DELETE_ACLS, &body);
        answer.skip(4 + 4);
        answer.expect_no_error();
    }

    /// Waits until every broker has so many rules for the prefix.
    fn await_rules(&self, prefix: &str, count: i32) {
        let deadline = Instant::now() + DEADLINE;
        let mut body = Body::default();
        body.rule(prefix, None, None, number::ANY, number::ANY);
        for at in 0..self.addresses.len() {
            loop {
                let mut answer = self.ask(at, number::DESCRIBE_ACLS, &body);
                answer.skip(4);
                answer.expect_no_error();
                let mut found = 0;
                if answer.int() > 0 {
                    answer.skip(1); // the topic, its name, and that it is a prefix
                    answer.text();
                    answer.skip(1);
                    found = answer.int();
                }
                if found == count {
                    break;
                }
                assert!(Instant::now() < deadline, "broker {at} has {found} rules, not {count}");
            }
        }
    }

    fn ask(&self, at: usize, (api, version): (i16, i16), body: &Body) -> Answer {
        let mut request = Body::default();
        request.short(api).short(version).int(1).short(-1); // correlation id 1, no client id
        request.0.extend_from_slice(&body.0);
        let mut stream = TcpStream::connect(&self.addresses[at]).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut bytes = (request.0.len() as i32).to_be_bytes().to_vec();
        bytes.extend_from_slice(&request.0);
        stream.write_all(&bytes).unwrap();
        let mut length = [0; 4];
        stream.read_exact(&mut length).unwrap();
        let mut bytes = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut bytes).unwrap();
        let mut answer = Answer { bytes, at: 0 };
        assert_eq!(answer.int(), 1, "the answer is to this request");
        answer
    }
}

/// What the task of the workspace wrote when it started a broker.
fn started() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let text = std::fs::read_to_string(root.join(target).join("services").join("kafka.env")).ok()?;
    Some(text.trim().strip_prefix("ANDON_TEST_KAFKA=")?.to_owned())
}

#[derive(Default)]
struct Body(Vec<u8>);

impl Body {
    fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    fn short(&mut self, value: i16) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    fn int(&mut self, value: i32) -> &mut Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.short(text.len() as i16);
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn text_or_none(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.short(-1),
        }
    }

    fn rule(
        &mut self,
        prefix: &str,
        principal: Option<&str>,
        host: Option<&str>,
        operation: u8,
        permission: u8,
    ) -> &mut Self {
        self.byte(number::TOPIC).text(prefix).byte(number::PREFIXED);
        self.text_or_none(principal).text_or_none(host).byte(operation).byte(permission)
    }
}

struct Answer {
    bytes: Vec<u8>,
    at: usize,
}

impl Answer {
    fn skip(&mut self, count: usize) {
        self.at += count;
    }

    fn short(&mut self) -> i16 {
        self.skip(2);
        i16::from_be_bytes(self.bytes[self.at - 2..self.at].try_into().unwrap())
    }

    fn int(&mut self) -> i32 {
        self.skip(4);
        i32::from_be_bytes(self.bytes[self.at - 4..self.at].try_into().unwrap())
    }

    fn text(&mut self) -> String {
        let length = self.short().max(0) as usize;
        self.skip(length);
        String::from_utf8_lossy(&self.bytes[self.at - length..self.at]).into_owned()
    }

    /// Code and text of an error stand here.
    fn expect_no_error(&mut self) {
        let (code, text) = (self.short(), self.text());
        assert_eq!(
            code, 0,
            "the broker refused it: {text} (54 means that it has no authorizer, which it needs here)"
        );
    }
}
