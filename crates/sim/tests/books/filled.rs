//! A store in which everything has happened that the rules speak of.

use std::path::PathBuf;

use rusqlite::Connection;
use spotpay_sim::books::Books;
use tempfile::TempDir;

use crate::receiver::{FAIL, Receiver, SUCCESS};
use crate::world::World;

/// Its file at rest, with the published files beside it.
pub(crate) struct Filled {
    pub(crate) folder: TempDir,
}

const FIRST_DAY: &str = "
    patch partners duty-free `{\"commission_on_refund\":\"returned\"}`
    topup alice 50.00
    clock PT1M
    pay tea-house T1 alice 100.00 notify_url=$good -> SUCCESS
    pay tea-house T2 bob 39.37 notify_url=$bad -> SUCCESS
    pay duty-free D1 bob 10.01 -> SUCCESS
    pay duty-free D2 alice 33.33 -> FAILED:NOT_SUPPORT_PAYMENT_INST
    pay dim-sum S1 alice 12.34 -> SUCCESS
    pay tea-house C1 careful 20.00 notify_url=$good -> UNKNOW
    confirm careful C1 yes
    pay tea-house C2 careful 5.00 notify_url=$good -> UNKNOW
    confirm careful C2 no
    pay tea-house C3 careful 5.00 notify_url=$bad -> UNKNOW
    pay tea-house T3 alice 7.77 -> SUCCESS
    cancel tea-house T3 -> SUCCESS
    pay tea-house T4 bob 8.88 -> SUCCESS
    reverse tea-house T4 -> SUCCESS
    cancel tea-house X1 -> SUCCESS
    clock PT4M
    refund tea-house T1 R1 10.01 is_sync=Y -> SUCCESS
    refund tea-house T2 R2 13.11 is_sync=Y -> SUCCESS
    clock PT1M
    refund tea-house T2 R3 0.07 is_sync=Y -> SUCCESS
    refund tea-house T2 R4 5.00 notify_url=$good -> SUCCESS
    refund duty-free D1 R5 3.33 is_sync=Y -> SUCCESS
    pay tea-house T5 bob 100.00 -> SUCCESS
    refund tea-house T5 R6 30.01 is_sync=Y -> SUCCESS
    refund tea-house T5 R7 10.00 -> SUCCESS
    cancel tea-house T5 -> SUCCESS
    pay tea-house T6 alice 1.00 -> SUCCESS
    refund tea-house T6 R8 1.00 is_sync=Y -> SUCCESS
    clock PT24H
    pay tea-house T7 alice 55.55 notify_url=$bad -> SUCCESS
    pay dim-sum S2 alice 3.21 -> SUCCESS
    refund dim-sum S1 R9 12.34 -> SUCCESS
    clock P3D
    refund duty-free D1 R10 6.68 -> SUCCESS
    clock P3D
";

/// No file tells of this day, no batch holds it, and its timers have not run.
const LAST_DAY: &str = "
    pay tea-house L1 alice 10.00 -> SUCCESS
    pay tea-house L2 bob 10.00 -> SUCCESS
    pay duty-free L3 bob 9.99 -> SUCCESS
    pay duty-free L9 bob 0.01 -> SUCCESS
    pay tea-house L4 alice 30.00 -> SUCCESS
    refund tea-house L4 R11 3.00 is_sync=Y -> SUCCESS
    refund tea-house L4 R12 4.00 -> SUCCESS
    pay tea-house L5 careful 4.00 -> UNKNOW
    pay tea-house L6 alice 6.00 -> SUCCESS
    cancel tea-house L6 -> SUCCESS
    pay tea-house L7 alice 2.00 notify_url=$good -> SUCCESS
    pay tea-house L8 careful 4.50 -> UNKNOW
    confirm careful L8 no
    books
";

impl Filled {
    pub(crate) async fn new() -> Self {
        let world = World::start().await;
        let (good, bad) = (Receiver::start(SUCCESS).await, Receiver::start(FAIL).await);
        world.name("good", &good.url);
        world.name("bad", &bad.url);
        let rate = r#"{"base":"USD","quote":"CNY","rate":"0.10000000","from":"2026-11-24"}"#;
        world.does("POST", "/rates", rate).await;
        world.check(FIRST_DAY).await;
        world.check(LAST_DAY).await;
        let folder = tempfile::tempdir().unwrap();
        let data = &world.app().data;
        let store = Connection::open(data.join("spotpay.db")).unwrap();
        let copy = folder.path().join("whole.db");
        store
            .execute("VACUUM INTO ?", [copy.to_str().unwrap()])
            .unwrap();
        let files = folder.path().join("files");
        std::fs::create_dir(&files).unwrap();
        for entry in std::fs::read_dir(data.join("files")).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), files.join(entry.file_name())).unwrap();
        }
        Self { folder }
    }

    /// The file after some SQL, on a copy of its own.
    pub(crate) fn spoiled(&self, sql: &str) -> Connection {
        let copy = self.folder.path().join("spoiled.db");
        std::fs::copy(self.folder.path().join("whole.db"), &copy).unwrap();
        let store = Connection::open(copy).unwrap();
        store
            .execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF")
            .unwrap();
        store.execute_batch(sql).unwrap();
        store
    }
}

impl Filled {
    /// The file's books, and the published files in a folder beside it.
    pub(crate) fn books(&self, sql: &str) -> Books {
        let books = Books::read(&self.spoiled(sql)).unwrap();
        books.with_files(&self.folder.path().join("files")).unwrap()
    }

    /// Does something to the text of the largest file of a kind, and gives the old text back.
    pub(crate) fn change(
        &self,
        kind: &str,
        to: impl FnOnce(String) -> String,
    ) -> (PathBuf, String) {
        let files = std::fs::read_dir(self.folder.path().join("files")).unwrap();
        let paths = files.map(|entry| entry.unwrap().path());
        let of_kind = paths.filter(|path| path.to_str().unwrap().contains(kind));
        let path = of_kind
            .max_by_key(|path| path.metadata().unwrap().len())
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, to(text.clone())).unwrap();
        (path, text)
    }
}
