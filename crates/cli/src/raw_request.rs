//! A request as people have it at hand: a URL, the body of a form, or all that went over the line.

use std::io::Read as _;

use crate::output::Failure;

/// The longest file that is read.
const BYTES_MAX: u64 = 1_000_000;

/// What is between the `?` of the URL and its end, and the body; neither is decoded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RawRequest {
    pub(crate) query: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// A file, or standard input when its name is `-`.
pub(crate) fn read_bytes(flag: &str, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if name == "-" {
        std::io::stdin()
            .lock()
            .take(BYTES_MAX + 1)
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(name).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::usage(flag, name, &error.to_string()))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BYTES_MAX {
        let rule = format!("is longer than {BYTES_MAX} bytes");
        return Err(Failure::usage(flag, name, &rule));
    }
    Ok(bytes)
}

/// The body of a form without the line ends that an editor puts behind it.
pub(crate) fn form_body(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

impl RawRequest {
    /// A whole request begins with its method, a URL with its scheme; all else is a form.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let bytes = bytes.trim_ascii_start();
        let (line, rest) = first_line(bytes);
        for method in [b"POST ".as_slice(), b"GET "] {
            if let Some(target) = line.strip_prefix(method) {
                let target = target.split(|byte| *byte == b' ').next();
                let query = query_of(target.unwrap_or_default());
                let body = body_behind(rest);
                return Self::with_something(query, body);
            }
        }
        if [b"http://".as_slice(), b"https://"]
            .iter()
            .any(|scheme| line.starts_with(scheme))
        {
            return Self::with_something(query_of(line), form_body(rest));
        }
        let form = form_body(bytes);
        Self::with_something(b"", form.strip_prefix(b"?").unwrap_or(form))
    }

    fn with_something(query: &[u8], body: &[u8]) -> Result<Self, &'static str> {
        if !query.contains(&b'=') && !body.contains(&b'=') {
            return Err("is neither a URL with parameters, nor a request, nor a form");
        }
        Ok(Self {
            query: query.to_vec(),
            body: body.to_vec(),
        })
    }
}

/// The line without its end, and what follows.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let end = end.unwrap_or(bytes.len());
    let line = bytes.get(..end).unwrap_or_default();
    let rest = bytes.get(end + 1..).unwrap_or_default();
    (line.trim_ascii_end(), rest)
}

fn query_of(url: &[u8]) -> &[u8] {
    let url = url.split(|byte| *byte == b'#').next().unwrap_or_default();
    let start = url.iter().position(|byte| *byte == b'?');
    let start = start.map_or(url.len(), |at| at + 1);
    url.get(start..).unwrap_or_default()
}

/// What follows the empty line behind the headers: as much as they say, or all of it.
fn body_behind(mut rest: &[u8]) -> &[u8] {
    let mut length = None;
    while !rest.is_empty() {
        let (line, behind) = first_line(rest);
        rest = behind;
        if line.is_empty() {
            let said = length.and_then(|length| rest.get(..length));
            return said.unwrap_or_else(|| form_body(rest));
        }
        let text = String::from_utf8_lossy(line);
        if let Some((name, value)) = text.split_once(':')
            && name.trim().eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<usize>().ok();
        }
    }
    b""
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: each form in which people have a request, with either kind of line end.
    #[test]
    fn forms() {
        for (text, expected) in [
            ("a=1&b=2", Ok(("", "a=1&b=2"))),
            ("  ?a=1\r\n", Ok(("", "a=1"))),
            ("\u{FEFF}a=1", Ok(("", "a=1"))),
            ("http://h/gateway.do?a=1#x", Ok(("a=1", ""))),
            ("https://h/gateway.do?a=1\n\nb=2\n", Ok(("a=1", "b=2"))),
            (
                "GET /gateway.do?a=1 HTTP/1.1\r\nHost: h\r\n\r\n",
                Ok(("a=1", "")),
            ),
            ("GET /gateway.do?a=1", Ok(("a=1", ""))),
            (
                "POST /gateway.do?_input_charset=UTF-8 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nb=2\r\n\r\nmore",
                Ok(("_input_charset=UTF-8", "b=2")),
            ),
            (
                "POST /gateway.do?a=1 HTTP/1.1\nHost: h\n\nb=2\n",
                Ok(("a=1", "b=2")),
            ),
            (
                "POST /gateway.do HTTP/1.1\nContent-Length: 99\n\nb=2\n",
                Ok(("", "b=2")),
            ),
            ("POST /gateway.do HTTP/1.1\nHost: h\n", Err(())),
            ("http://h/gateway.do", Err(())),
            ("hello", Err(())),
            ("", Err(())),
        ] {
            let found = RawRequest::read(text.as_bytes()).map_err(|_| ());
            let expected = expected.map(|(query, body): (&str, &str)| RawRequest {
                query: query.into(),
                body: body.into(),
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
