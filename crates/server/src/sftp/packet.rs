//! The packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), as far as a server needs them that
//! gives files away and takes none. Bytes in, requests out; answers in, bytes out.

/// The longest request: a write of 32 KiB with its head, which is refused, still has to be read.
const REQUEST_BYTES_MAX: usize = 66_000;
/// What a waiting request weighs at least, with all that the server keeps of it.
pub(super) const REQUEST_WEIGHT_MIN: usize = 64;
/// The version that is spoken.
const VERSION: u32 = 3;

mod kind {
    pub(super) const INIT: u8 = 1;
    pub(super) const VERSION: u8 = 2;
    pub(super) const OPEN: u8 = 3;
    pub(super) const CLOSE: u8 = 4;
    pub(super) const READ: u8 = 5;
    pub(super) const WRITE: u8 = 6;
    pub(super) const LSTAT: u8 = 7;
    pub(super) const FSTAT: u8 = 8;
    pub(super) const SETSTAT: u8 = 9;
    pub(super) const FSETSTAT: u8 = 10;
    pub(super) const OPENDIR: u8 = 11;
    pub(super) const READDIR: u8 = 12;
    pub(super) const REMOVE: u8 = 13;
    pub(super) const MKDIR: u8 = 14;
    pub(super) const RMDIR: u8 = 15;
    pub(super) const REALPATH: u8 = 16;
    pub(super) const STAT: u8 = 17;
    pub(super) const RENAME: u8 = 18;
    pub(super) const SYMLINK: u8 = 20;
    pub(super) const STATUS: u8 = 101;
    pub(super) const HANDLE: u8 = 102;
    pub(super) const DATA: u8 = 103;
    pub(super) const NAME: u8 = 104;
    pub(super) const ATTRS: u8 = 105;
    pub(super) const EXTENDED: u8 = 200;
}

/// The one flag of an open that reads and does nothing else.
const OPEN_READ: u32 = 1;
/// Extensions that would change something.
const EXTENDED_CHANGES: [&str; 5] = [
    "posix-rename@openssh.com",
    "hardlink@openssh.com",
    "lsetstat@openssh.com",
    "fsync@openssh.com",
    "copy-data",
];

/// How a request ended, when it has nothing else to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    Ok,
    Eof,
    NoSuchFile,
    PermissionDenied,
    Failure,
    OpUnsupported,
}

impl Status {
    const fn code(self) -> u32 {
        match self {
            Self::Ok => 0,
            Self::Eof => 1,
            Self::NoSuchFile => 2,
            Self::PermissionDenied => 3,
            Self::Failure => 4,
            Self::OpUnsupported => 8,
        }
    }
}

/// A file or a folder that the server gave out a number for; `None` is none of its numbers.
pub(super) type HandleNumber = Option<u32>;

/// What a client wants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Request {
    RealPath {
        path: String,
    },
    /// With or without following links: there are none.
    Stat {
        path: String,
    },
    Fstat {
        handle: HandleNumber,
    },
    OpenDir {
        path: String,
    },
    ReadDir {
        handle: HandleNumber,
    },
    /// For reading.
    Open {
        path: String,
    },
    Read {
        handle: HandleNumber,
        offset: u64,
        length: u32,
    },
    Close {
        handle: HandleNumber,
    },
    /// Anything that would change something.
    Change,
    /// Anything that is not known.
    Other,
}

/// A request with the number that its answer carries, and what it weighs while it waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    pub(super) id: u32,
    pub(super) request: Request,
    pub(super) weight: usize,
}

/// Bytes that are no SFTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed;

/// What came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Incoming {
    /// The client's first packet.
    Init,
    /// Every other.
    Asked(Asked),
}

/// Cuts what arrives into packets.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    held: Vec<u8>,
    greeted: bool,
}

impl Decoder {
    /// Takes bytes and tells each packet that they complete.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<Vec<Incoming>, Malformed> {
        self.held.extend_from_slice(bytes);
        let mut found = Vec::new();
        let mut at = 0;
        loop {
            let rest = self.held.get(at..).unwrap_or_default();
            let Some((length, behind)) = rest.split_first_chunk::<4>() else {
                break;
            };
            let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| Malformed)?;
            if length == 0 || length > REQUEST_BYTES_MAX {
                return Err(Malformed);
            }
            let Some(packet) = behind.get(..length) else {
                break;
            };
            found.push(read(packet, &mut self.greeted)?);
            at += 4 + length;
        }
        self.held.drain(..at);
        Ok(found)
    }
}

fn read(packet: &[u8], greeted: &mut bool) -> Result<Incoming, Malformed> {
    let mut fields = Fields(packet);
    let wanted = fields.byte()?;
    let first = !std::mem::replace(greeted, true);
    if first != (wanted == kind::INIT) {
        return Err(Malformed);
    }
    if first {
        fields.number()?;
        return Ok(Incoming::Init);
    }
    let id = fields.number()?;
    let request = match wanted {
        kind::REALPATH => Request::RealPath {
            path: fields.text()?,
        },
        kind::STAT | kind::LSTAT => Request::Stat {
            path: fields.text()?,
        },
        kind::FSTAT => Request::Fstat {
            handle: fields.handle()?,
        },
        kind::OPENDIR => Request::OpenDir {
            path: fields.text()?,
        },
        kind::READDIR => Request::ReadDir {
            handle: fields.handle()?,
        },
        kind::OPEN => {
            let path = fields.text()?;
            if fields.number()? == OPEN_READ {
                Request::Open { path }
            } else {
                Request::Change
            }
        }
        kind::READ => Request::Read {
            handle: fields.handle()?,
            offset: fields.long()?,
            length: fields.number()?,
        },
        kind::CLOSE => Request::Close {
            handle: fields.handle()?,
        },
        kind::WRITE
        | kind::SETSTAT
        | kind::FSETSTAT
        | kind::REMOVE
        | kind::MKDIR
        | kind::RMDIR
        | kind::RENAME
        | kind::SYMLINK => Request::Change,
        kind::EXTENDED if EXTENDED_CHANGES.contains(&&*fields.text()?) => Request::Change,
        _ => Request::Other,
    };
    let weight = packet.len().max(REQUEST_WEIGHT_MIN);
    Ok(Incoming::Asked(Asked {
        id,
        request,
        weight,
    }))
}

/// The fields of a packet, one after another.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (field, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*field)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_be_bytes)
    }

    fn long(&mut self) -> Result<u64, Malformed> {
        self.take().map(u64::from_be_bytes)
    }

    fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(self.number()?).map_err(|_| Malformed)?;
        let (field, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(field)
    }

    /// What is no UTF-8 is no name of ours either.
    fn text(&mut self) -> Result<String, Malformed> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    fn handle(&mut self) -> Result<HandleNumber, Malformed> {
        let bytes = self.bytes()?;
        Ok(bytes.try_into().ok().map(u32::from_be_bytes))
    }
}

/// What is told of a file or a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Attrs {
    pub(super) bytes: u64,
    pub(super) is_folder: bool,
    /// Seconds since 1970.
    pub(super) time: u32,
}

/// A line of a listing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    /// As `ls -l` shows it.
    pub(super) line: String,
    pub(super) attrs: Option<Attrs>,
}

/// A packet under construction; its length comes last.
struct Packet(Vec<u8>);

impl Packet {
    fn new(kind: u8) -> Self {
        Self(vec![0, 0, 0, 0, kind])
    }

    fn number(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn bytes(self, bytes: &[u8]) -> Self {
        let mut packet = self.number(length_of(bytes));
        packet.0.extend_from_slice(bytes);
        packet
    }

    fn attrs(self, attrs: Option<Attrs>) -> Self {
        // Size, permissions, and both times.
        const FLAGS: u32 = 0x1 | 0x4 | 0x8;
        let Some(attrs) = attrs else {
            return self.number(0);
        };
        let mode = if attrs.is_folder {
            0o040_555
        } else {
            0o100_444
        };
        let mut packet = self.number(FLAGS);
        packet.0.extend(attrs.bytes.to_be_bytes());
        packet.number(mode).number(attrs.time).number(attrs.time)
    }

    fn done(mut self) -> Vec<u8> {
        let length = length_of(self.0.get(4..).unwrap_or_default());
        if let Some(head) = self.0.first_chunk_mut::<4>() {
            *head = length.to_be_bytes();
        }
        self.0
    }
}

/// Nothing that we send comes near the end of the numbers.
fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// The answer to the first packet.
pub(super) fn version() -> Vec<u8> {
    Packet::new(kind::VERSION).number(VERSION).done()
}

/// An answer without content.
pub(super) fn status(id: u32, status: Status, message: &str) -> Vec<u8> {
    Packet::new(kind::STATUS)
        .number(id)
        .number(status.code())
        .bytes(message.as_bytes())
        .bytes(b"en")
        .done()
}

/// The number of what was opened.
pub(super) fn handle(id: u32, number: u32) -> Vec<u8> {
    Packet::new(kind::HANDLE)
        .number(id)
        .bytes(&number.to_be_bytes())
        .done()
}

/// Part of a file.
pub(super) fn data(id: u32, bytes: &[u8]) -> Vec<u8> {
    Packet::new(kind::DATA).number(id).bytes(bytes).done()
}

/// Part of a listing, or a path.
pub(super) fn names(id: u32, names: &[Named]) -> Vec<u8> {
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    let mut packet = Packet::new(kind::NAME).number(id).number(count);
    for named in names {
        packet = packet
            .bytes(named.name.as_bytes())
            .bytes(named.line.as_bytes())
            .attrs(named.attrs);
    }
    packet.done()
}

/// What is known of a file or a folder.
pub(super) fn attrs(id: u32, attrs: Attrs) -> Vec<u8> {
    Packet::new(kind::ATTRS)
        .number(id)
        .attrs(Some(attrs))
        .done()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(kind: u8, fields: &[&[u8]]) -> Vec<u8> {
        let body = fields.concat();
        let length = u32::try_from(body.len() + 1).unwrap();
        [&length.to_be_bytes()[..], &[kind], &body].concat()
    }

    fn text(text: &str) -> Vec<u8> {
        let length = u32::try_from(text.len()).unwrap();
        [&length.to_be_bytes()[..], text.as_bytes()].concat()
    }

    // Goal: requests come out whole, however the bytes are cut on their way.
    #[test]
    fn requests_in_pieces() {
        let seven = 7u32.to_be_bytes();
        let stream = [
            packet(kind::INIT, &[&3u32.to_be_bytes()]),
            packet(
                kind::OPEN,
                &[&seven, &text("/download/a"), &1u32.to_be_bytes(), &[0; 4]],
            ),
            packet(
                kind::OPEN,
                &[&seven, &text("a"), &0x1au32.to_be_bytes(), &[0; 4]],
            ),
            packet(
                kind::READ,
                &[
                    &seven,
                    &text("\0\0\0\u{1}"),
                    &9u64.to_be_bytes(),
                    &5u32.to_be_bytes(),
                ],
            ),
            packet(kind::CLOSE, &[&seven, &text("odd")]),
            packet(
                kind::EXTENDED,
                &[&seven, &text("posix-rename@openssh.com"), &text("a")],
            ),
            packet(kind::EXTENDED, &[&seven, &text("limits@openssh.com")]),
            packet(99, &[&seven]),
        ]
        .concat();
        let expected = [
            Request::Open {
                path: "/download/a".to_owned(),
            },
            Request::Change,
            Request::Read {
                handle: Some(1),
                offset: 9,
                length: 5,
            },
            Request::Close { handle: None },
            Request::Change,
            Request::Other,
            Request::Other,
        ];
        for piece in [1, 3, 7, stream.len()] {
            let mut decoder = Decoder::default();
            let mut found = Vec::new();
            for bytes in stream.chunks(piece) {
                found.extend(decoder.feed(bytes).unwrap());
            }
            let requests: Vec<Request> = found
                .into_iter()
                .filter_map(|incoming| match incoming {
                    Incoming::Init => None,
                    Incoming::Asked(asked) => {
                        assert_eq!(asked.id, 7);
                        Some(asked.request)
                    }
                })
                .collect();
            assert_eq!(requests, expected, "pieces of {piece}");
        }
    }

    // Goal: what cannot be read, or comes out of turn, ends the conversation.
    #[test]
    fn no_sftp() {
        let init = packet(kind::INIT, &[&3u32.to_be_bytes()]);
        let behind_init = |bytes: Vec<u8>| [init.clone(), bytes].concat();
        for bytes in [
            vec![0, 0, 0, 0],
            vec![0xff; 8],
            packet(kind::STAT, &[&[0; 4], &text("/")]),
            behind_init(init.clone()),
            behind_init(packet(kind::STAT, &[&[0; 4], &[0, 0, 0, 9], b"short"])),
            behind_init(packet(kind::READ, &[&[0; 4], &text("aaaa")])),
            behind_init(packet(kind::CLOSE, &[&[0; 3]])),
        ] {
            assert_eq!(Decoder::default().feed(&bytes), Err(Malformed), "{bytes:?}");
        }
    }

    // Goal: no bytes, however odd, do more than that.
    #[test]
    fn any_bytes() {
        let mut state = 1u32;
        for _ in 0..2_000 {
            let mut bytes = packet(kind::INIT, &[&3u32.to_be_bytes()]);
            for _ in 0..40 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes.extend([0, 0, 0, 9].iter().take((state % 5).try_into().unwrap()));
                bytes.push(state.to_be_bytes()[0] % 24);
            }
            let _ = Decoder::default().feed(&bytes);
        }
    }

    #[test]
    fn answers() {
        assert_eq!(version(), [0, 0, 0, 5, 2, 0, 0, 0, 3]);
        assert_eq!(
            data(1, b"ab"),
            [0, 0, 0, 11, 103, 0, 0, 0, 1, 0, 0, 0, 2, b'a', b'b']
        );
        let eof = status(2, Status::Eof, "e");
        assert_eq!(
            eof,
            [
                0, 0, 0, 20, 101, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, b'e', 0, 0, 0, 2, b'e', b'n'
            ]
        );
    }
}
