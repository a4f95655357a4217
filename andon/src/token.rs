//! `andon token`: who may do what. It works on the accounts in the data folder, which SQLite lets two processes share: so
//! the first token can be made before andon runs, and another one while it does.

use andon_log::chain;
use std::path::Path;

use andon_query_api::IssuedToken;
use andon_store::sqlite::{Options, SqliteAccounts};
use andon_store::{Accounts, Token, TokenInserted, TokenRevoked, TokenScope};

use crate::admin::now_ms;
use crate::cli::TokenCommand;
use crate::config::duration_ms;
use crate::exit::Failure;
use crate::run::block_on;

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Runs the command.
pub(crate) fn run(command: &TokenCommand, folder: &Path) -> Result<(), Failure> {
    // What is wrong with the command line is told before anything is made.
    let issued = match command {
        TokenCommand::Create { name, scope, expires } => Some(draw(name, scope, expires.as_deref())?),
        TokenCommand::List | TokenCommand::Revoke { .. } => None,
    };
    let failed =
        |error: andon_store::Error| Failure::Other(format!("{} (in `{}`)", chain(&error), folder.display()));
    let accounts = SqliteAccounts::open(folder, &Options::default()).map_err(failed)?;
    block_on(async {
        match (command, issued) {
            (TokenCommand::Create { .. }, Some(issued)) => {
                match accounts.insert_token(&issued.token, now_ms()).await.map_err(failed)? {
                    TokenInserted::New => {
                        eprintln!(
                            "This is the only time that the token is shown; keep it where nobody else reads."
                        );
                        println!("{}", issued.text);
                        Ok(())
                    }
                    TokenInserted::Taken => Err(Failure::Other(format!(
                        "there is a token named `{}` already; revoke it first, or choose another name",
                        issued.token.name
                    ))),
                }
            }
            (TokenCommand::Revoke { name_or_id }, _) => {
                match accounts.revoke_token(name_or_id, now_ms()).await.map_err(failed)? {
                    TokenRevoked::Revoked(token) => {
                        println!("{} ({}) is revoked", token.name, token.id);
                        Ok(())
                    }
                    TokenRevoked::Unknown => Err(Failure::Other(format!(
                        "there is no token `{name_or_id}` that has not been revoked"
                    ))),
                }
            }
            (TokenCommand::List | TokenCommand::Create { .. }, _) => {
                list(&accounts.tokens().await.map_err(failed)?);
                Ok(())
            }
        }
    })
}

fn draw(name: &str, scopes: &[String], expires: Option<&str>) -> Result<IssuedToken, Failure> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || name.chars().any(char::is_control) {
        let wrong = format!("a name has 1 to {NAME_BYTES_MAX} bytes and no control characters");
        return Err(Failure::Usage(wrong));
    }
    let scope = |text: &String| {
        TokenScope::from_name(text.trim()).ok_or_else(|| {
            let known = TokenScope::ALL.map(TokenScope::name).join(", ");
            Failure::Usage(format!("there is no scope `{text}`; known are {known}"))
        })
    };
    let scopes = scopes.iter().map(scope).collect::<Result<Vec<_>, _>>()?;
    let now = now_ms();
    let expires_at = match expires.map(duration_ms).transpose().map_err(Failure::Usage)? {
        Some(0) => return Err(Failure::Usage("a token that expires at once is of no use".to_owned())),
        ms => ms.map(|ms| now.saturating_add(ms)),
    };
    IssuedToken::draw(name, &scopes, now, expires_at)
        .map_err(|error| Failure::Other(format!("could not draw a token: {error}")))
}

fn list(tokens: &[Token]) {
    if tokens.is_empty() {
        println!("no tokens: whoever reaches andon may do everything, so it listens on loopback only");
        return;
    }
    println!("{:12}  {:20}  {:20}  {:28}  name", "id", "made", "state", "scopes");
    let time = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms).map_or("far away".to_owned(), |at| format!("{at:.0}"))
    };
    for token in tokens {
        let state = match (token.revoked_at, token.expires_at) {
            (Some(_), _) => "revoked".to_owned(),
            (None, Some(end)) if end <= now_ms() => "expired".to_owned(),
            (None, Some(end)) => time(end),
            (None, None) => "no end".to_owned(),
        };
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.name()).collect();
        println!(
            "{:12}  {:20}  {state:20}  {:28}  {}",
            token.id,
            time(token.created_at),
            scopes.join(","),
            token.name
        );
    }
}
