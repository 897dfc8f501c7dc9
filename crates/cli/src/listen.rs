//! `spotpay listen`: a merchant's end of notifications, to look at what comes.

use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use spotpay_client::notify::BODY_BYTES_MAX;
use spotpay_client::{Charset, Span};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::duration::Length;
use crate::machine;
use crate::merchant::Merchant;
use crate::output::{self, Exit};
use crate::received::{Reader, charset};
use crate::serve::{announce, stop_signal};

/// Connections at once; more have to wait.
const CONNECTIONS_MAX: usize = 64;
/// Bytes of a request's line and headers.
const HEAD_BYTES_MAX: usize = 16_384;
/// For one request to arrive.
const PATIENCE: Span = Span::seconds(30);

/// Receive notifications, and print each with whether it is to be believed
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay listen --port 9000\n  spotpay listen --json --delay 3s --status 500\n\n\
    The first line on standard output says where it listens; with --json each line after it is one\n\
    object. It answers `success` to what is to be believed and `fail` to the rest, until Ctrl-C."
)]
pub(crate) struct Listen {
    /// The port of 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 9000)]
    port: u16,
    /// What to answer, whatever comes
    #[arg(long, value_name = "TEXT")]
    answer: Option<String>,
    /// How long to wait before each answer
    #[arg(long, value_name = "LENGTH")]
    delay: Option<Length>,
    /// The status of each answer
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(200..=599))]
    status: u16,
    /// What notifications are written in: what the partner's requests are written in
    #[arg(long, value_name = "NAME", default_value = "UTF-8", value_parser = charset)]
    charset: Charset,
    #[command(flatten)]
    merchant: Merchant,
}

/// What one connection needs to know.
struct Desk {
    reader: Reader,
    answer: Option<String>,
    delay: Option<Span>,
    status: u16,
    json: bool,
}

impl Listen {
    pub(crate) fn run(self) -> ExitCode {
        let json = self.merchant.json;
        let (partner, keys) = match self.merchant.gateway_keys() {
            Ok(found) => found,
            Err(failure) => return failure.with_json(json).tell().into(),
        };
        let desk = Desk {
            reader: Reader::new(partner, self.charset, keys),
            answer: self.answer,
            delay: self.delay.map(Length::span),
            status: self.status,
            json,
        };
        serve_until_told(self.port, desk).unwrap_or_else(|error| {
            output::say(&format!("error: {error:#}"));
            Exit::Usage.into()
        })
    }
}

fn serve_until_told(port: u16, desk: Desk) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime could be made")?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener =
            listener.with_context(|| format!("invalid value '{port}' for '--port <N>'"))?;
        announce(&format!("http://{}", listener.local_addr()?));
        serve(listener, Arc::new(desk), stop).await;
        Ok(ExitCode::SUCCESS)
    })
}

async fn serve(listener: TcpListener, desk: Arc<Desk>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept(), if open.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    let desk = Arc::clone(&desk);
                    open.spawn(async move { converse(stream, &desk).await });
                }
                // Out of files, perhaps: the next may find some.
                Err(_) => machine::pause(Span::millis(100)).await,
            },
        }
    }
}

/// One request, one answer.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, desk: &Desk) {
    let (status, reply) = match machine::within(PATIENCE, read(&mut stream)).await {
        Some(Ok(body)) => (desk.status, desk.take(&body).await),
        Some(Err(NoRequest::Nothing)) => return,
        Some(Err(NoRequest::Bad(status, why))) => (status, why.to_owned()),
        None => (408, "the request did not arrive in time".to_owned()),
    };
    let length = reply.len();
    let answer = format!(
        "HTTP/1.1 {status} -\r\nContent-Type: text/plain; charset=UTF-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{reply}"
    );
    // Whoever hung up does not read it.
    let written = stream.write_all(answer.as_bytes()).await;
    if written.is_ok() {
        let _ = stream.shutdown().await;
    }
}

impl Desk {
    /// Prints a notification, and says what to answer.
    async fn take(&self, body: &[u8]) -> String {
        let mut received = self.reader.read(body);
        if self.answer.is_some() {
            received.reply.clone_from(&self.answer);
        }
        if self.json {
            output::print_json(&received);
        } else {
            output::print(&received.line());
        }
        if let Some(delay) = self.delay {
            machine::pause(delay).await;
        }
        received.reply.unwrap_or_default()
    }
}

enum NoRequest {
    /// The other side hung up.
    Nothing,
    /// A status, and why.
    Bad(u16, &'static str),
}

/// The body of a POST.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, NoRequest> {
    let mut bytes = Vec::with_capacity(4_096);
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(NoRequest::Bad(431, "the headers are too long"));
        }
        let read = stream.read_buf(&mut bytes).await;
        if read.unwrap_or(0) == 0 {
            return Err(NoRequest::Nothing);
        }
    };
    let mut body = bytes.split_off(end);
    let length = length_of(&String::from_utf8_lossy(&bytes))?;
    if length > BODY_BYTES_MAX {
        return Err(NoRequest::Bad(413, "the body is too long"));
    }
    while body.len() < length {
        let read = stream.read_buf(&mut body).await;
        if read.unwrap_or(0) == 0 {
            return Err(NoRequest::Nothing);
        }
    }
    body.truncate(length);
    Ok(body)
}

fn length_of(head: &str) -> Result<usize, NoRequest> {
    let mut lines = head.lines();
    if !lines.next().unwrap_or_default().starts_with("POST ") {
        return Err(NoRequest::Bad(405, "notifications come by POST"));
    }
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let length = headers.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, value)| value.trim().parse().ok());
    length.ok_or(NoRequest::Bad(411, "there is no Content-Length"))
}

#[cfg(test)]
#[path = "listen_tests.rs"]
mod tests;
