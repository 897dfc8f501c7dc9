//! What happens once a day, at once: settlement and the files of past days; and the holidays that
//! settlement goes by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::try_unfold;
use serde::Deserialize;
use serde_json::{Value, json};
use spotpay_core::calendar::CalendarName;
use spotpay_core::command::Command;
use spotpay_core::config::ConfigChange;
use spotpay_core::id::PartnerId;
use spotpay_core::settlement::{Batch, FileKey, FileKind, PublishedFile};
use spotpay_core::time::CivilDate;
use spotpay_wire::files::FileName;

use super::error::{ApiError, read, read_rows};
use super::sent::{Named, Sent};
use crate::app::App;
use crate::jobs::{self, JobError, MakeError, Wish};

type Answer = Result<Json<Value>, ApiError>;

/// Batches in one answer, the newest.
const BATCHES_MAX: usize = 1_000;
/// Files of one partner in one answer, the newest.
const FILES_MAX: usize = 1_000;
/// Bytes of a file that are sent at once.
const PART_BYTES: usize = 128 * 1_024;

impl From<MakeError> for ApiError {
    fn from(error: MakeError) -> Self {
        JobError::from(error).into()
    }
}

impl From<JobError> for ApiError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Store(error) => error.into(),
            JobError::Engine(fault) => fault.into(),
            JobError::File(_) | JobError::Stopped | JobError::Confused | JobError::Sum => {
                tracing::error!(%error, "a day's work was not done");
                Self::confused()
            }
        }
    }
}

fn holidays_json(app: &App) -> Json<Value> {
    let snapshot = app.snapshot.load();
    let days = CalendarName::ALL.into_iter().flat_map(|calendar| {
        let dates = snapshot.config.calendars.holidays(calendar);
        dates.map(move |date| json!({"calendar": calendar.as_str(), "date": date.to_string()}))
    });
    Json(days.collect())
}

pub(super) async fn holidays(State(app): State<Arc<App>>) -> Answer {
    Ok(holidays_json(&app))
}

#[derive(Debug, Deserialize)]
struct Holiday {
    calendar: String,
    date: String,
}

/// JSON adds a holiday; CSV is the whole of each calendar that it names.
pub(super) async fn put_holidays(State(app): State<Arc<App>>, Sent(body): Sent) -> Answer {
    let sent = read_rows::<Holiday>(&body)?;
    let mut calendars: BTreeMap<CalendarName, BTreeSet<CivilDate>> = BTreeMap::new();
    for row in sent.rows() {
        let calendar = row.calendar.parse();
        let calendar =
            calendar.map_err(|_| ApiError::field("calendar", "CN or HK", &row.calendar))?;
        let date = read_date("date", &row.date)?;
        calendars.entry(calendar).or_default().insert(date);
    }
    for (calendar, dates) in calendars {
        let mut dates = dates;
        if !sent.is_whole() {
            dates.extend(app.snapshot.load().config.calendars.holidays(calendar));
        }
        let change = ConfigChange::SetHolidays(calendar, dates);
        app.engine.submit(Command::Configure(change)).await?;
    }
    Ok(holidays_json(&app))
}

/// Reads a business date.
fn read_date(field: &str, text: &str) -> Result<CivilDate, ApiError> {
    CivilDate::parse_dashed(text)
        .ok_or_else(|| ApiError::field(field, "a date such as 2026-11-23", text))
}

/// Reads a date that is over.
fn read_past(app: &App, field: &str, text: &str) -> Result<CivilDate, ApiError> {
    let (date, today) = (read_date(field, text)?, app.clock.now().business_date());
    if date < today {
        Ok(date)
    } else {
        let message = format!("{field} is {date}, which is not over: today is {today}");
        Err(ApiError::rule("not_over", message))
    }
}

fn batch_json(batch: &Batch) -> Value {
    let net = batch.moves.net().map(spotpay_core::money::Money::major);
    let carried_out = batch.carried_out().map(spotpay_core::money::Money::major);
    json!({
        "id": batch.id.as_i64().to_string(),
        "partner": batch.key.partner.to_string(),
        "currency": batch.key.currency.code(),
        "date": batch.date.to_string(),
        "first": batch.first.to_string(),
        "last": batch.last.to_string(),
        "count": batch.moves.count,
        "gross": batch.moves.gross.major(),
        "refunds": batch.moves.refunds.major(),
        "commission": batch.moves.commission.major(),
        "commission_back": batch.moves.commission_back.major(),
        "net": net.unwrap_or_default(),
        "carried_in": batch.carried_in.major(),
        "paid_out": batch.paid_out.major(),
        "carried_out": carried_out.unwrap_or_default(),
        "at": batch.at.to_string(),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettleWish {
    until: Option<String>,
}

pub(super) async fn settle(State(app): State<Arc<App>>, Sent(body): Sent) -> Answer {
    let wish: SettleWish = read(&body)?;
    let today = app.clock.now().business_date();
    let until = match &wish.until {
        Some(text) => read_past(&app, "until", text)?,
        None => today.plus_days(-1),
    };
    let batches = jobs::settle(&app, until, today, Wish::Demand).await?;
    Ok(Json(batches.iter().map(batch_json).collect()))
}

pub(super) async fn batches(State(app): State<Arc<App>>) -> Answer {
    let batches = app
        .readers
        .read(|reader| reader.batches(None, BATCHES_MAX))?;
    Ok(Json(batches.iter().map(batch_json).collect()))
}

/// A published file as the API tells it; an empty day has no name.
pub(super) fn file_json(file: &PublishedFile) -> Value {
    let name = (file.rows > 0).then(|| jobs::name_of(file.key).to_string());
    let sha256: String = file
        .sha256
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({
        "name": name,
        "partner": file.key.partner.to_string(),
        "kind": file.key.kind.as_str(),
        "date": file.key.date.to_string(),
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": sha256,
        "published_at": file.at.to_string(),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWish {
    partner: String,
    date: String,
    kind: String,
}

pub(super) async fn make_file(State(app): State<Arc<App>>, Sent(body): Sent) -> Answer {
    let wish: FileWish = read(&body)?;
    let kind = FileKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == wish.kind);
    let key = FileKey {
        partner: find_partner(&app, &wish.partner)?,
        kind: kind
            .ok_or_else(|| ApiError::field("kind", "transaction or settlement", &wish.kind))?,
        date: read_past(&app, "date", &wish.date)?,
    };
    let file = jobs::make(&app, key).await?;
    Ok(Json(file_json(&file)))
}

#[derive(Debug, Deserialize)]
pub(super) struct FilePage {
    partner: Option<String>,
}

/// Of one partner, or of all.
pub(super) async fn files(
    State(app): State<Arc<App>>,
    page: Result<Query<FilePage>, QueryRejection>,
) -> Answer {
    let Query(page) = page.map_err(ApiError::query)?;
    let partners = match &page.partner {
        Some(name) => vec![find_partner(&app, name)?],
        None => app
            .snapshot
            .load()
            .config
            .partners
            .keys()
            .copied()
            .collect(),
    };
    let mut files = Vec::new();
    for partner in partners {
        files.extend(
            app.readers
                .read(|reader| reader.files(partner, FILES_MAX))?,
        );
    }
    Ok(Json(files.iter().map(file_json).collect()))
}

/// The bytes of a published file, part by part: it may be longer than the memory.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    Named(name): Named,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("published file", &name);
    let parsed: FileName = name.parse().map_err(|_| unknown())?;
    let key = FileKey {
        partner: parsed.partner,
        kind: parsed.kind,
        date: parsed.date,
    };
    let known = app.readers.read(|reader| reader.file(key))?;
    let known = known.filter(|file| file.rows > 0).ok_or_else(unknown)?;
    let opened = File::open(jobs::path_of(&app.data, key)).map_err(|error| {
        tracing::error!(%error, name, "a published file cannot be read");
        unknown()
    })?;
    let parts = try_unfold((app, opened), |(app, mut file)| async move {
        let read = app.blocking(move || {
            let mut part = vec![0; PART_BYTES];
            let read = file.read(&mut part)?;
            part.truncate(read);
            Ok::<_, std::io::Error>((part, file))
        });
        let (part, file) = read.await.ok_or(std::io::ErrorKind::Interrupted)??;
        Ok::<_, std::io::Error>((!part.is_empty()).then_some((part, (app, file))))
    });
    let head = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_LENGTH, known.bytes.to_string()),
    ];
    Ok((head, Body::from_stream(parts)).into_response())
}

/// A partner by its name or its number.
pub(super) fn find_partner(app: &App, name: &str) -> Result<PartnerId, ApiError> {
    let snapshot = app.snapshot.load();
    let mut partners = snapshot.config.partners.values();
    partners
        .find(|partner| &*partner.name == name || partner.id.to_string() == name)
        .map(|partner| partner.id)
        .ok_or_else(|| ApiError::not_found("partner", name))
}
