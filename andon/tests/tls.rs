//! A real andon that speaks TLS.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the failure")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use support::Andon;

#[test]
fn with_certificate_and_key_the_api_is_served_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let settings = [
        ("ANDON_HTTP__TLS_CERT", certificate.to_str().unwrap()),
        ("ANDON_HTTP__TLS_KEY", key.to_str().unwrap()),
    ];
    let running = Andon::start(&folder.path().join("data"), 0, &settings);
    let address = running.url.strip_prefix("https://").unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    stream.write_all(b"GET /v1/lines HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(running.metric("api_connections ").is_some(), "the admin endpoint speaks in the clear");
    assert_eq!(running.stop(), Some(0));

    for (settings, why) in [
        (&settings[..1], "`http.tls_cert` and `http.tls_key` are set together"),
        (
            &[settings[0], ("ANDON_HTTP__TLS_KEY", "missing.pem")][..],
            "could not read the private key from `missing.pem`",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_andon"))
            .args(["run", "--data-dir", "data", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .envs(settings.iter().copied())
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(78));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(why), "{error}");
    }
}
