//! A connection that sends bytes as they are and reads answers as HTTP/1.1 has them.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::PATIENCE;

/// One connection.
pub(crate) struct Line {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl HttpAnswer {
    /// The value of a header field, whatever its case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (given, value) = line.split_once(':')?;
            given.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON of an answer that is not refused.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

impl Line {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            read: Vec::new(),
        })
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Waits no longer than this for the other side to read.
    pub(crate) fn hurry(&self, time: std::time::Duration) -> io::Result<()> {
        self.stream.set_write_timeout(Some(time))
    }

    /// No more will be sent.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)
    }

    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<HttpAnswer> {
        self.send(request)?;
        self.answer()
    }

    /// The next answer, whole.
    pub(crate) fn answer(&mut self) -> io::Result<HttpAnswer> {
        let end = loop {
            match self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.more()?,
            }
        };
        let head = String::from_utf8_lossy(&self.read[..end]).into_owned();
        self.read.drain(..end + 4);
        let broken = || io::Error::new(io::ErrorKind::InvalidData, head.clone());
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = HttpAnswer {
            status: status.ok_or_else(broken)?,
            head: head.clone(),
            body: Vec::new(),
        };
        match answer.header("content-length").map(str::parse::<usize>) {
            Some(Ok(length)) => {
                while self.read.len() < length {
                    self.more()?;
                }
                answer.body = self.read.drain(..length).collect();
            }
            Some(Err(_)) => return Err(broken()),
            // 100 Continue: the answer itself comes later.
            None if answer.status == 100 => {}
            None => answer.body = self.rest()?,
        }
        Ok(answer)
    }

    /// Everything until the other side closes.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.more() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(std::mem::take(&mut self.read));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn more(&mut self) -> io::Result<()> {
        let mut some = [0; 16 * 1_024];
        match self.stream.read(&mut some)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.read.extend_from_slice(&some[..count]);
                Ok(())
            }
        }
    }
}
