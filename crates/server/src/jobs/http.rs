//! The rows of some days as one text, for `forex_compare_file` and `forex_liquidation_file`
//! (`spec/07`).

use std::sync::Arc;

use spotpay_core::settlement::{Batch, FileKind};
use spotpay_wire::charset::Charset;
use spotpay_wire::files::Style;
use spotpay_wire::http_file::Request;

use super::files::fill_statements;
use super::rows::{Teller, batches_of};
use super::{JobError, MakeError};
use crate::app::App;

/// The most rows of one text, which is made in memory: some 75 MB. Ours; whoever has more asks for
/// fewer days, or takes the files.
pub(crate) const ROWS_MAX: u64 = 500_000;

/// The text of days that are over, in a charset; `None` when it would have more rows than
/// [`ROWS_MAX`].
///
/// # Errors
/// [`JobError`]; nothing is kept of a text.
pub(crate) async fn text(
    app: &Arc<App>,
    request: Request,
    charset: Charset,
) -> Result<Option<Vec<u8>>, JobError> {
    // In turns with the files, so that no number of requests takes all memory and all readers.
    let _turn = app.file_turns.lock().await;
    fill_statements(app, request.last).await?;
    let making = Arc::clone(app);
    let write = move || Ok(write(&making, request)?.map(|text| encode(charset, text)));
    let made: Option<Result<_, MakeError>> = app.blocking(write).await;
    Ok(made.ok_or(JobError::Stopped)??)
}

fn write(app: &App, request: Request) -> Result<Option<String>, MakeError> {
    let Request {
        partner,
        kind,
        first,
        last,
    } = request;
    let snapshot = app.snapshot.load();
    let entry = snapshot.partner(partner).ok_or(MakeError::Rows)?;
    let style = Style::of(&entry.partner.contract);
    let batches = match kind {
        FileKind::Transaction => Vec::new(),
        FileKind::Settlement => batches_between(app, request)?,
    };
    let count = match kind {
        FileKind::Transaction => app
            .readers
            .read(|reader| reader.count_events(partner, (first, last)))?,
        FileKind::Settlement => batches.iter().map(|batch| batch.moves.count).sum(),
    };
    if count > ROWS_MAX {
        return Ok(None);
    }
    let mut text = String::new();
    Style::http_head(&mut text);
    let mut teller = Teller::new(app, partner, style);
    match kind {
        FileKind::Transaction => teller.rows((first, last), None, |row| {
            style.http(&row.http(None), &mut text);
            Ok(())
        })?,
        FileKind::Settlement => {
            for batch in &batches {
                teller.rows((batch.first, batch.last), Some(batch), |row| {
                    style.http(&row.http(Some(batch.at)), &mut text);
                    Ok(())
                })?;
            }
        }
    }
    Ok(Some(text))
}

/// As [`Charset::encode`], without a copy of what is UTF-8 already.
fn encode(charset: Charset, text: String) -> Vec<u8> {
    match charset {
        Charset::Utf8 => text.into_bytes(),
        Charset::Gbk | Charset::Gb2312 => charset.encode(&text).into_owned(),
    }
}

/// The batches of the days that are asked for, the oldest first.
fn batches_between(app: &App, request: Request) -> Result<Vec<Batch>, MakeError> {
    let mut batches = Vec::new();
    let mut date = request.first;
    while date <= request.last {
        batches.extend(batches_of(app, request.partner, date)?);
        date = date.plus_days(1);
    }
    Ok(batches)
}
