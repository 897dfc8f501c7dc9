//! Where one session's requests are answered: what it has open, and nothing that could change.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use spotpay_core::id::PartnerId;

use super::packet::{self, Asked, Attrs, HandleNumber, Named, Request, Status};
use super::tree::{self, Place};
use super::{Listed, Shelf};

/// The most that one answer holds of a file; clients ask for as much.
const READ_BYTES_MAX: u32 = 32_768;
/// Lines of a listing in one answer.
const NAMES_MAX: usize = 100;

/// Something open.
enum Handle {
    Folder { left: VecDeque<Named>, attrs: Attrs },
    File { file: File, attrs: Attrs },
}

/// One session's desk.
pub(super) struct Desk {
    shelf: Arc<dyn Shelf>,
    partner: PartnerId,
    handles: BTreeMap<u32, Handle>,
    handles_max: usize,
    next: u32,
}

/// Why there is no answer with content.
struct No(Status, &'static str);

impl No {
    const FILE: Self = Self(Status::NoSuchFile, "no such file");
    const HANDLE: Self = Self(Status::Failure, "no such handle");
}

impl From<io::Error> for No {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            return Self::FILE;
        }
        tracing::error!(fault.source = %error, "a published file cannot be read");
        Self(Status::Failure, "it cannot be read now")
    }
}

impl Desk {
    pub(super) fn new(shelf: Arc<dyn Shelf>, partner: PartnerId, handles_max: usize) -> Self {
        Self {
            shelf,
            partner,
            handles: BTreeMap::new(),
            handles_max,
            next: 0,
        }
    }

    /// The answer to a request; it reads files.
    pub(super) fn answer(&mut self, asked: &Asked) -> Vec<u8> {
        let id = asked.id;
        self.content(id, &asked.request)
            .unwrap_or_else(|No(status, message)| packet::status(id, status, message))
    }

    fn content(&mut self, id: u32, request: &Request) -> Result<Vec<u8>, No> {
        match request {
            Request::RealPath { path } => {
                let name = tree::canonical(path);
                let line = name.clone();
                let attrs = None;
                Ok(packet::names(id, &[Named { name, line, attrs }]))
            }
            Request::Stat { path } => Ok(packet::attrs(id, self.look_at(path)?)),
            Request::Fstat { handle } => {
                let (Handle::Folder { attrs, .. } | Handle::File { attrs, .. }) =
                    self.handle(*handle)?;
                Ok(packet::attrs(id, *attrs))
            }
            Request::OpenDir { path } => self.open_folder(id, path),
            Request::ReadDir { handle } => self.read_folder(id, *handle),
            Request::Open { path } => self.open_file(id, path),
            Request::Read {
                handle,
                offset,
                length,
            } => self.read_file(id, *handle, *offset, *length),
            Request::Close { handle } => {
                let closed = handle.and_then(|handle| self.handles.remove(&handle));
                closed.ok_or(No::HANDLE)?;
                Ok(packet::status(id, Status::Ok, "closed"))
            }
            Request::Change => Err(No(Status::PermissionDenied, "files are for reading only")),
            Request::Other => Err(No(Status::OpUnsupported, "not supported")),
        }
    }

    fn handle(&mut self, number: HandleNumber) -> Result<&mut Handle, No> {
        number
            .and_then(|number| self.handles.get_mut(&number))
            .ok_or(No::HANDLE)
    }

    fn keep(&mut self, id: u32, handle: Handle) -> Vec<u8> {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.handles.insert(number, handle);
        packet::handle(id, number)
    }

    fn room(&self) -> Result<(), No> {
        if self.handles.len() < self.handles_max {
            Ok(())
        } else {
            Err(No(Status::Failure, "too much is open; close something"))
        }
    }

    fn files(&self) -> io::Result<Vec<Listed>> {
        let mut files = self.shelf.list(self.partner)?;
        files.retain(|listed| tree::is_plain(&listed.name));
        Ok(files)
    }

    fn file(&self, name: &str) -> Result<Listed, No> {
        let mut files = self.files()?.into_iter();
        files.find(|listed| listed.name == name).ok_or(No::FILE)
    }

    fn look_at(&self, path: &str) -> Result<Attrs, No> {
        match tree::place(path) {
            Place::Root | Place::Download => Ok(folder_attrs(&self.files()?)),
            Place::File(name) => Ok(attrs_of(&self.file(name)?)),
            Place::Nowhere => Err(No::FILE),
        }
    }

    fn open_folder(&mut self, id: u32, path: &str) -> Result<Vec<u8>, No> {
        self.room()?;
        let (left, attrs) = match tree::place(path) {
            Place::Root => {
                let attrs = folder_attrs(&self.files()?);
                let line = self.line(tree::DOWNLOAD, attrs);
                let name = tree::DOWNLOAD.to_owned();
                let attrs = Some(attrs);
                (
                    VecDeque::from([Named { name, line, attrs }]),
                    folder_attrs(&[]),
                )
            }
            Place::Download => {
                let files = self.files()?;
                let named = |listed: &Listed| Named {
                    name: listed.name.clone(),
                    line: self.line(&listed.name, attrs_of(listed)),
                    attrs: Some(attrs_of(listed)),
                };
                (files.iter().map(named).collect(), folder_attrs(&files))
            }
            Place::File(name) => {
                self.file(name)?;
                return Err(No(Status::Failure, "it is no folder"));
            }
            Place::Nowhere => return Err(No::FILE),
        };
        Ok(self.keep(id, Handle::Folder { left, attrs }))
    }

    fn read_folder(&mut self, id: u32, handle: HandleNumber) -> Result<Vec<u8>, No> {
        match self.handle(handle)? {
            Handle::Folder { left, .. } if left.is_empty() => Err(No(Status::Eof, "that is all")),
            Handle::Folder { left, .. } => {
                let part: Vec<Named> = left.drain(..left.len().min(NAMES_MAX)).collect();
                Ok(packet::names(id, &part))
            }
            Handle::File { .. } => Err(No::HANDLE),
        }
    }

    fn open_file(&mut self, id: u32, path: &str) -> Result<Vec<u8>, No> {
        self.room()?;
        let listed = match tree::place(path) {
            Place::Root | Place::Download => return Err(No(Status::Failure, "it is a folder")),
            Place::File(name) => self.file(name)?,
            Place::Nowhere => return Err(No::FILE),
        };
        let file = self.shelf.open(self.partner, &listed.name)?;
        let file = file.ok_or(No::FILE)?;
        let attrs = Attrs {
            bytes: file.metadata()?.len(),
            ..attrs_of(&listed)
        };
        Ok(self.keep(id, Handle::File { file, attrs }))
    }

    fn read_file(
        &mut self,
        id: u32,
        handle: HandleNumber,
        offset: u64,
        length: u32,
    ) -> Result<Vec<u8>, No> {
        match self.handle(handle)? {
            Handle::File { file, attrs } if offset < attrs.bytes => {
                let length = length.min(READ_BYTES_MAX);
                let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
                file.seek(SeekFrom::Start(offset))?;
                file.take(length.into()).read_to_end(&mut bytes)?;
                if bytes.is_empty() && length > 0 {
                    return Err(No(Status::Eof, "that is all"));
                }
                Ok(packet::data(id, &bytes))
            }
            Handle::File { .. } => Err(No(Status::Eof, "that is all")),
            Handle::Folder { .. } => Err(No::HANDLE),
        }
    }

    /// As `ls -l` shows it, with the date in GMT+8.
    fn line(&self, name: &str, attrs: Attrs) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let at = spotpay_core::time::Timestamp::from_seconds(attrs.time.into());
        let (year, month, day) = at.business_date().ymd();
        let month = usize::from(month).checked_sub(1);
        let month = month.and_then(|place| MONTHS.get(place)).unwrap_or(&"Jan");
        let mode = if attrs.is_folder {
            "dr-xr-xr-x"
        } else {
            "-r--r--r--"
        };
        let (who, bytes) = (self.partner, attrs.bytes);
        format!("{mode} 1 {who} {who} {bytes:>12} {month} {day:>2}  {year} {name}")
    }
}

fn attrs_of(listed: &Listed) -> Attrs {
    Attrs {
        bytes: listed.bytes,
        is_folder: false,
        time: u32::try_from(listed.published_at.as_seconds()).unwrap_or_default(),
    }
}

/// A folder is as old as the newest file in it.
fn folder_attrs(files: &[Listed]) -> Attrs {
    Attrs {
        bytes: 0,
        is_folder: true,
        time: files
            .iter()
            .map(|listed| attrs_of(listed).time)
            .max()
            .unwrap_or_default(),
    }
}
