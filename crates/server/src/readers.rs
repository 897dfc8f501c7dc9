//! Read-only connections, shared by whoever needs one for a moment.

use std::sync::{Mutex, PoisonError};

use spotpay_store::StoreError;
use spotpay_store::sqlite::{Reader, SqliteStore};

/// A pool that grows with the threads that read at the same time, and no further.
#[derive(Debug)]
pub struct Readers {
    idle: Mutex<Vec<Reader>>,
    path: std::path::PathBuf,
}

impl Readers {
    /// Readers of a store's file.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn new(store: &SqliteStore) -> Result<Self, StoreError> {
        let reader = store.reader()?;
        Ok(Self {
            idle: Mutex::new(vec![reader]),
            path: store.path().to_path_buf(),
        })
    }

    /// Reads with one of the connections.
    ///
    /// # Errors
    /// What the read itself says, or that no connection can be opened.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let reader = match idle {
            Some(reader) => reader,
            None => Reader::open(&self.path)?,
        };
        let result = read(&reader);
        // A connection that met a fault is not trusted again.
        if result.is_ok() {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reader);
        }
        result
    }
}
