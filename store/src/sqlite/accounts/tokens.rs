//! Tokens of the API. Few, and read whole: whoever checks them keeps a copy for a moment.

use andon_domain::Millis;
use rusqlite::{Connection, Row};

use crate::sqlite::fault::Fault;
use crate::sqlite::rows;
use crate::{TOKENS_MAX, Token, TokenInserted, TokenRevoked, TokenScope};

macro_rules! columns {
    () => {
        "SELECT id, name, scopes, secret_sha256, created_at, expires_at, revoked_at FROM tokens "
    };
}

/// A token that ended makes room when there are too many; a living one never does.
pub(super) fn insert(db: &Connection, new: &Token, now: Millis) -> Result<TokenInserted, Fault> {
    let is_taken = db
        .prepare_cached("SELECT 1 FROM tokens WHERE id = ?1 OR (name = ?2 AND revoked_at IS NULL)")?
        .exists((&new.id, &new.name))?;
    if is_taken {
        return Ok(TokenInserted::Taken);
    }
    let count: i64 = db.prepare_cached("SELECT count(*) FROM tokens")?.query_row([], |row| row.get(0))?;
    let got = rows::unsigned::<usize>("number of tokens", count)? + 1;
    if got > TOKENS_MAX {
        let freed = db
            .prepare_cached(
                "DELETE FROM tokens WHERE id IN (
                     SELECT id FROM tokens WHERE revoked_at IS NOT NULL OR expires_at <= ?1
                     ORDER BY min(ifnull(revoked_at, expires_at), ifnull(expires_at, revoked_at)), id LIMIT ?2)",
            )?
            .execute((now, rows::limit(got - TOKENS_MAX)))?;
        if got - freed > TOKENS_MAX {
            return Err(Fault::TooMany { what: "tokens", got, limit: TOKENS_MAX });
        }
    }
    let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.name()).collect();
    db.prepare_cached(
        "INSERT INTO tokens (id, name, scopes, secret_sha256, created_at, expires_at, revoked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        &new.id,
        &new.name,
        scopes.join(" "),
        new.secret_sha256,
        new.created_at,
        new.expires_at,
        new.revoked_at,
    ))?;
    Ok(TokenInserted::New)
}

pub(super) fn all(db: &Connection) -> Result<Vec<Token>, Fault> {
    let read = db.prepare_cached(concat!(columns!(), "ORDER BY created_at, id"))?;
    rows::collect(read, [], stored_token)
}

/// An id is tried before a name: a token may have been named like the id of another one.
pub(super) fn revoke(db: &Connection, name_or_id: &str, now: Millis) -> Result<TokenRevoked, Fault> {
    let find = db.prepare_cached(concat!(
        columns!(),
        "WHERE revoked_at IS NULL AND (id = ?1 OR name = ?1) ORDER BY id != ?1 LIMIT 1"
    ))?;
    let Some(mut token) = rows::first(find, [name_or_id], stored_token)? else {
        return Ok(TokenRevoked::Unknown);
    };
    db.prepare_cached("UPDATE tokens SET revoked_at = ?2 WHERE id = ?1")?.execute((&token.id, now))?;
    token.revoked_at = Some(now);
    Ok(TokenRevoked::Revoked(token))
}

fn stored_token(row: &Row<'_>) -> Result<Token, Fault> {
    let scopes = rows::text(row, 2)?
        .split_ascii_whitespace()
        .map(|name| {
            TokenScope::from_name(name)
                .ok_or_else(|| Fault::corrupt("scope", format!("no scope is named `{name}`")))
        })
        .collect::<Result<_, _>>()?;
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        scopes,
        secret_sha256: row.get(3)?,
        created_at: row.get(4)?,
        expires_at: row.get(5)?,
        revoked_at: row.get(6)?,
    })
}
