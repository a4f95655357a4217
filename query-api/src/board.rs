//! The board: pages, styles and ES modules, embedded in the program, so that it works offline and without a build step.
//!
//! Nothing is fetched from elsewhere and nothing runs inline: the policy below says so to the browser. Every answer has
//! a tag and is asked for again each time, so that a page never mixes the modules of two builds for longer than a load.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::cursor;
use crate::problem::{Answer, Problem};
use crate::respond::is_known;

/// What a page may do: only what comes from here, nothing inline, no frame of another site around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// What all pages have around what is theirs. `@BUILD@`, `@SCRIPT@` and `@BODY@` stand where that goes.
const FRAME: &str = include_str!("../board/frame.html");

/// A file of the board.
struct File {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! files {
    ($($name:literal $content_type:expr;)*) => {
        &[$(File {
            name: $name,
            content_type: $content_type,
            content: include_bytes!(concat!("../board/", $name)),
        }),*]
    };
}

const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Everything the board consists of, but the frame. A page goes into the frame and has the script of its name; pages are served
/// at addresses of their own, the rest below `/static/`.
const FILES: &[File] = files! {
    "board.html" HTML;
    "line.html" HTML;
    "downtime.html" HTML;
    "subscriptions.html" HTML;
    "dead-letters.html" HTML;
    "docs.html" HTML;
    "docs.css" "text/css; charset=utf-8";
    "andon.css" "text/css; charset=utf-8";
    "icon.svg" "image/svg+xml";
    "board.webmanifest" "application/manifest+json";
    "api.js" JS;
    "board.js" JS;
    "clock.js" JS;
    "dead-letters.js" JS;
    "docs.js" JS;
    "downtime.js" JS;
    "line.js" JS;
    "live.js" JS;
    "page.js" JS;
    "status.js" JS;
    "subscriptions.js" JS;
    "timeline.js" JS;
    "words.js" JS;
};

/// A file as it is served.
struct Asset {
    file: &'static File,
    content: Bytes,
    tag: HeaderValue,
}

struct Assets {
    build: String,
    assets: Vec<Asset>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let hashes: Vec<u8> = FILES
        .iter()
        .flat_map(|file| cursor::hash(file.content).to_be_bytes())
        .chain(FRAME.bytes().chain(env!("CARGO_PKG_VERSION").bytes()))
        .collect();
    let build = format!("{}-{:08x}", env!("CARGO_PKG_VERSION"), cursor::hash(&hashes) >> 32);
    let assets = FILES
        .iter()
        .map(|file| {
            let content = match (file.name.strip_suffix(".html"), std::str::from_utf8(file.content)) {
                (Some(name), Ok(body)) => Bytes::from(framed(name, body, &build)),
                (_, _) => Bytes::from_static(file.content),
            };
            let tag = HeaderValue::from_str(&format!("\"{:016x}\"", cursor::hash(&content)))
                .expect("a number in hex between quotes is a header value");
            Asset { file, content, tag }
        })
        .collect();
    Assets { build, assets }
});

/// A page in the frame of all.
fn framed(name: &str, body: &str, build: &str) -> String {
    FRAME.replace("@BUILD@", build).replace("@SCRIPT@", &format!("{name}.js")).replace("@BODY@", body)
}

/// What a running page compares with what it was loaded as: another build, and it loads itself again.
pub fn build_id() -> &'static str {
    &ASSETS.build
}

/// The routes of the pages and their files.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(|headers: HeaderMap| async move { serve("board.html", &headers) }))
        .route("/lines/{line}", get(|headers: HeaderMap| async move { serve("line.html", &headers) }))
        .route("/downtime", get(|headers: HeaderMap| async move { serve("downtime.html", &headers) }))
        .route(
            "/subscriptions",
            get(|headers: HeaderMap| async move { serve("subscriptions.html", &headers) }),
        )
        .route("/dead-letters", get(|headers: HeaderMap| async move { serve("dead-letters.html", &headers) }))
        .route("/docs", get(|headers: HeaderMap| async move { serve("docs.html", &headers) }))
        .route("/favicon.ico", get(|headers: HeaderMap| async move { serve("icon.svg", &headers) }))
        .route("/static/{name}", get(file))
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Answer {
    serve(&name, &headers)
}

fn serve(name: &str, headers: &HeaderMap) -> Answer {
    let asset = ASSETS.assets.iter().find(|asset| asset.file.name == name);
    let asset = asset.ok_or_else(|| Problem::not_found("the board has no such file"))?;
    let mut response: Response = if is_known(headers, &asset.tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        asset.content.clone().into_response()
    };
    let answer = response.headers_mut();
    answer.insert(header::ETAG, asset.tag.clone());
    for (name, value) in [
        (header::CONTENT_TYPE, asset.file.content_type),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        answer.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every file, as it is served.
    fn texts() -> impl Iterator<Item = (&'static File, &'static str)> {
        ASSETS.assets.iter().map(|asset| (asset.file, std::str::from_utf8(&asset.content).unwrap()))
    }

    #[test]
    fn nothing_in_the_board_comes_from_elsewhere_or_runs_inline() {
        for (file, text) in texts() {
            let outside = ["http://", "https://"].iter().flat_map(|scheme| text.match_indices(scheme));
            for (at, _) in outside {
                let address = &text[at..text.len().min(at + 60)];
                // The name of a language is no address that anybody asks.
                assert!(address.starts_with("http://www.w3.org/"), "`{}` names {address:?}", file.name);
            }
            if file.content_type == HTML {
                for inline in ["<style", " style=", "<script>", " onclick=", " onload="] {
                    assert!(!text.contains(inline), "`{}` has `{inline}`", file.name);
                }
            }
        }
    }

    #[test]
    fn every_file_that_a_file_names_is_there() {
        let names: Vec<&str> = FILES.iter().map(|file| file.name).collect();
        for (file, text) in texts() {
            for mark in ["\"/static/", "\"./", "url(\"/static/"] {
                for (at, _) in text.match_indices(mark) {
                    let rest = &text[at + mark.len()..];
                    let name = rest.split('"').next().unwrap_or_default();
                    assert!(names.contains(&name), "`{}` names `{name}`", file.name);
                }
            }
        }
    }

    #[test]
    fn a_page_carries_the_build_that_the_live_stream_names() {
        for (file, page) in texts().filter(|(file, _)| file.content_type == HTML) {
            assert!(page.contains(build_id()), "{}", file.name);
            for mark in ["@BUILD@", "@SCRIPT@", "@BODY@"] {
                assert!(!page.contains(mark), "`{}` still has `{mark}`", file.name);
            }
        }
    }
}
