//! A mail server that accepts everything and keeps nothing but who it was for.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// A mail that was accepted just now.
pub(crate) struct Mail {
    /// Its recipient.
    pub(crate) recipient: String,
}

/// The server; it ends with the process.
pub(crate) struct SmtpSink {
    pub(crate) address: SocketAddr,
}

impl SmtpSink {
    /// Listens on a port of its own; `accepted` hears of each mail right after the server has said so.
    pub(crate) fn start(accepted: impl Fn(&Mail) + Send + Sync + 'static) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let accepted = Arc::new(accepted);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let accepted = accepted.clone();
                std::thread::spawn(move || {
                    if let Err(error) = serve(stream, &*accepted) {
                        eprintln!("a connection to the mail server broke: {error}");
                    }
                });
            }
        });
        Ok(Self { address })
    }
}

fn serve(stream: TcpStream, accepted: &dyn Fn(&Mail)) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut writer = stream.try_clone()?;
    let mut lines = BufReader::new(stream).split(b'\n');
    let mut recipient = String::new();
    writer.write_all(b"220 sink\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match command.as_str() {
            "EHLO" => b"250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-PIPELINING\r\n250 SIZE 10000000\r\n",
            "RCPT" => {
                recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                b"250 ok\r\n"
            }
            "DATA" => {
                writer.write_all(b"354 go on\r\n")?;
                while lines.next().transpose()?.is_some_and(|line| line.trim_ascii_end() != b".") {}
                writer.write_all(b"250 accepted\r\n")?;
                accepted(&Mail { recipient: std::mem::take(&mut recipient) });
                continue;
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => b"250 ok\r\n",
        };
        writer.write_all(answer)?;
    }
    Ok(())
}
