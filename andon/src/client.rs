//! A client of a running andon, for the command line.

use std::time::Duration;

use serde_json::Value;

use crate::cli::TokenSource;
use crate::exit::Failure;

/// Speaks to one andon.
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    authorization: Option<String>,
}

/// An answer: the status code and the body.
pub(crate) struct Answer {
    /// HTTP status code.
    pub(crate) status: u16,
    /// The body, whatever it is.
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// What a problem document says, or the status code.
    pub(crate) fn problem(&self) -> String {
        let json = self.json();
        match (json["title"].as_str(), json["detail"].as_str()) {
            (_, Some(detail)) => detail.to_owned(),
            (Some(title), None) => title.to_owned(),
            (None, None) => format!("the answer was status {}", self.status),
        }
    }
}

impl Client {
    /// A client of the andon at `url`.
    pub(crate) fn new(url: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(60)))
            .proxy(None)
            .build();
        Self { agent: config.into(), base: url.trim_end_matches('/').to_owned(), authorization: None }
    }

    /// The same client, with the token that the command line names, if it names one.
    ///
    /// # Errors
    /// The file of the token could not be read, or holds none.
    pub(crate) fn with_token(mut self, source: &TokenSource) -> Result<Self, Failure> {
        self.authorization = source.read()?.map(|token| format!("Bearer {token}"));
        Ok(self)
    }

    fn authorized<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    /// GET.
    pub(crate) fn get(&self, path: &str) -> Result<Answer, ureq::Error> {
        read(self.authorized(self.agent.get(format!("{}{path}", self.base))).call()?)
    }

    /// POST.
    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
        let request = self.authorized(self.agent.post(format!("{}{path}", self.base)));
        read(request.content_type(content_type).send(body)?)
    }

    /// PUT with a JSON body.
    pub(crate) fn put(&self, path: &str, body: &Value) -> Result<Answer, ureq::Error> {
        let body = body.to_string();
        let request = self.authorized(self.agent.put(format!("{}{path}", self.base)));
        read(request.content_type("application/json").send(body)?)
    }

    /// GET that must answer 200 with JSON.
    pub(crate) fn get_json(&self, path: &str) -> Result<Value, Failure> {
        let answer = self.get(path).map_err(|error| self.unreachable(&error))?;
        match answer.status {
            200 => Ok(answer.json()),
            _ => Err(Failure::Other(answer.problem())),
        }
    }

    /// What to say when nobody answers.
    pub(crate) fn unreachable(&self, error: &ureq::Error) -> Failure {
        Failure::Unavailable(format!(
            "could not reach andon at {}: {error}; is `andon run` running there, or does `--url` name another one?",
            self.base
        ))
    }
}

impl TokenSource {
    /// The token, trimmed; none if none is named.
    fn read(&self) -> Result<Option<String>, Failure> {
        let text = match (&self.token_file, std::env::var_os("ANDON_TOKEN")) {
            (Some(path), _) => std::fs::read_to_string(path).map_err(|error| {
                Failure::Usage(format!("could not read the token from `{}`: {error}", path.display()))
            })?,
            (None, Some(token)) => token.to_string_lossy().into_owned(),
            (None, None) => return Ok(None),
        };
        let token = text.trim();
        // Anything else would break the header, and what it is must not be shown.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::Usage("what is given as a token is none: `andon_` and letters".to_owned()));
        }
        Ok(Some(token.to_owned()))
    }
}

fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(64 << 20).read_to_string()?;
    Ok(Answer { status, body })
}

/// A value as a part of a URL's path or query.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
