//! A disk in memory under the real SQLite: it fails, fills up and forgets on command.
