//! Faults of the store, sorted once from the driver's; nobody matches on message text.

/// What the driver said.
pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// The store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first; the same again may work.
    #[error("another writer was first")]
    Conflict(#[source] Source),
    /// Locked for now.
    #[error("the store is busy")]
    Busy(#[source] Source),
    /// The disk or the file failed, or is full.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// A rule of the schema said no.
    #[error("a rule of the schema refused a row")]
    Constraint(#[source] Source),
    /// The store's file cannot be used.
    #[error("{path}")]
    Open {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: Box<StoreError>,
    },
    /// The file could not be reached.
    #[error("{path}")]
    File {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A stored value means nothing.
    #[error("{table}.{column} holds a value that means nothing")]
    Corrupt {
        /// Where.
        table: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// The store was made by a newer version of this program.
    #[error("the store has schema {found}, this program knows up to {known}")]
    TooNew {
        /// The schema of the file.
        found: usize,
        /// The newest that we know.
        known: usize,
    },
    /// Any other complaint of the driver: a bug of ours.
    #[error("the store did not understand us")]
    Driver(#[source] Source),
}

impl StoreError {
    /// The same, with the file that it is about.
    pub(crate) fn in_file(self, path: &std::path::Path) -> Self {
        Self::Open {
            path: path.to_path_buf(),
            source: Box::new(self),
        }
    }

    /// Whether the same command may work at once when it is tried again with new ids.
    pub fn is_conflict(&self) -> bool {
        match self {
            Self::Conflict(_) | Self::Busy(_) => true,
            Self::Unavailable(_)
            | Self::Constraint(_)
            | Self::File { .. }
            | Self::Open { .. }
            | Self::Corrupt { .. }
            | Self::TooNew { .. }
            | Self::Driver(_) => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let code = error
            .sqlite_error()
            .map(|error| (error.code, error.extended_code));
        match code {
            // A key that another trade took: new ids will do.
            Some((ErrorCode::ConstraintViolation, extended))
                if extended == rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                    || extended == rusqlite::ffi::SQLITE_CONSTRAINT_ROWID =>
            {
                Self::Conflict(error.into())
            }
            Some((ErrorCode::ConstraintViolation, _)) => Self::Constraint(error.into()),
            Some((ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _)) => {
                Self::Busy(error.into())
            }
            Some((
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
                _,
            )) => Self::Unavailable(error.into()),
            Some(_) | None => Self::Driver(error.into()),
        }
    }
}

/// What became of a commit that did not return well.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing of the batch is stored.
    #[error("the batch was not stored")]
    Failed(#[source] StoreError),
    /// The batch may be stored or not: ask [`crate::Store::resolve`].
    #[error("the batch may be stored or not")]
    InDoubt(#[source] StoreError),
}
