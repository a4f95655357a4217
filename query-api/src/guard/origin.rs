//! Without tokens whoever reaches the port may do everything, and a browser on the same machine reaches it for every page
//! that it shows. So a request must be meant for us by name (else a name of somebody else's may point here: DNS
//! rebinding), and a writing one must not come from a page of another site.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};

use crate::problem::{Problem, shown};

/// Refuses what a page of another site makes a browser send.
pub(super) fn check(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    public_url: Option<&Uri>,
) -> Result<(), Problem> {
    let hosts = headers.get_all(header::HOST).iter().map(|value| value.to_str().unwrap_or_default());
    let named: Vec<&str> = hosts.chain(uri.authority().map(|authority| authority.as_str())).collect();
    let public = public_url.and_then(Uri::authority);
    for host in &named {
        let name = name_of(host);
        if !is_loopback(name) && !public.is_some_and(|public| public.host().eq_ignore_ascii_case(name)) {
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "the request is meant for another host")
                .detail(format!(
                    "without tokens andon answers to a loopback name or to the host of `http.public_url`, not to `{}`",
                    shown(host)
                )));
        }
    }
    if method.is_safe() {
        return Ok(());
    }
    for origin in headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let is_ours = |(_, authority): (&str, &str)| {
            named.iter().any(|host| host.eq_ignore_ascii_case(authority))
                || public.is_some_and(|public| public.as_str().eq_ignore_ascii_case(authority))
        };
        if !origin.split_once("://").is_some_and(is_ours) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "a page of another site may not write").detail(
                format!(
                    "the request comes from `{}`; without tokens only andon's own pages write",
                    shown(origin)
                ),
            ));
        }
    }
    Ok(())
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

fn is_loopback(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
