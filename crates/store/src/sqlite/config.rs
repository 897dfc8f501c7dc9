//! Partners, keys, shops, rates and settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use spotpay_core::calendar::{CalendarName, Calendars};
use spotpay_core::config::{Config, ConfigChange, Job};
use spotpay_core::fx::{Rate, RateTable};
use spotpay_core::id::PartnerId;
use spotpay_core::money::{Amount, Currency, FeeRate, FxRate, Money};
use spotpay_core::partner::{
    AcceptedWallets, AsyncRefund, CancelGrace, CommissionOnRefund, Contract, Country, KeyKind,
    Partner, PartnerKey, Product, RmbColumns, Services, StoreData, StoreReview, SyncRefundPause,
    WalletColumn,
};
use spotpay_core::shop::Shop;
use spotpay_core::time::{CivilDate, Span, Timestamp};

use super::rows::{self, concat_columns, corrupt};
use super::stores;
use crate::StoreError;

const CLOCK_OFFSET: &str = "clock_offset";

pub(super) fn load(connection: &Connection) -> Result<Config, StoreError> {
    let mut config = Config {
        version: 0,
        rates: load_rates(connection)?,
        calendars: load_calendars(connection)?,
        jobs: load_jobs(connection)?,
        clock_offset: Span::micros(setting(connection, CLOCK_OFFSET)?.unwrap_or(0)),
        ..Config::default()
    };
    let mut statement = connection.prepare(concat_columns!(
        "SELECT ",
        SHOP,
        ", partner.* FROM partner JOIN shop ON shop.key = default_shop ORDER BY partner.id"
    ))?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        let mut partner = partner(row)?;
        partner.keys = load_keys(connection, partner.id)?;
        config.partners.insert(partner.id, Arc::new(partner));
    }
    Ok(config)
}

fn load_rates(connection: &Connection) -> Result<RateTable, StoreError> {
    let mut statement =
        connection.prepare("SELECT base, quote, from_date, rate, source FROM rate")?;
    let mut found = statement.query([])?;
    let mut rates = Vec::new();
    while let Some(row) = found.next()? {
        let rate: i64 = row.get(3)?;
        rates.push(Rate {
            base: rows::currency(row.get(0)?, "rate")?,
            quote: rows::currency(row.get(1)?, "rate")?,
            from: CivilDate::from_days(row.get(2)?),
            rate: u64::try_from(rate)
                .ok()
                .and_then(|e8| FxRate::of_e8(e8).ok())
                .ok_or(corrupt("rate", "rate"))?,
            source: row.get(4)?,
        });
    }
    Ok(RateTable::of(rates))
}

fn load_calendars(connection: &Connection) -> Result<Calendars, StoreError> {
    let mut statement = connection.prepare("SELECT calendar, date FROM holiday")?;
    let mut found = statement.query([])?;
    let mut calendars = Calendars::default();
    while let Some(row) = found.next()? {
        let calendar = pick(&CalendarName::ALL, row.get(0)?, "holiday", "calendar")?;
        calendars.put(calendar, CivilDate::from_days(row.get(1)?));
    }
    Ok(calendars)
}

fn load_jobs(connection: &Connection) -> Result<BTreeMap<Job, CivilDate>, StoreError> {
    let mut statement = connection.prepare("SELECT job, date FROM job")?;
    let mut found = statement.query([])?;
    let mut jobs = BTreeMap::new();
    while let Some(row) = found.next()? {
        let job = pick(&Job::ALL, row.get(0)?, "job", "job")?;
        jobs.insert(job, CivilDate::from_days(row.get(1)?));
    }
    Ok(jobs)
}

fn load_keys(connection: &Connection, partner: PartnerId) -> Result<Vec<PartnerKey>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT kind, text, since, until FROM partner_key WHERE partner = ? ORDER BY place",
    )?;
    let mut found = statement.query([rows::number(partner.number())])?;
    let mut keys = Vec::new();
    while let Some(row) = found.next()? {
        keys.push(PartnerKey {
            kind: pick(&KEY_KINDS, row.get(0)?, "partner_key", "kind")?,
            text: row.get(1)?,
            from: Timestamp::from_micros(row.get(2)?),
            until: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_micros),
        });
    }
    Ok(keys)
}

// Each list is in the order of its codes in the schema.
const PRODUCTS: [Product; 2] = [Product::Hk, Product::Standard];
const WALLETS: [AcceptedWallets; 3] = [
    AcceptedWallets::Both,
    AcceptedWallets::HkOnly,
    AcceptedWallets::CnOnly,
];
const ON_REFUND: [CommissionOnRefund; 2] = [CommissionOnRefund::Kept, CommissionOnRefund::Returned];
const ASYNC_REFUNDS: [AsyncRefund; 2] = [AsyncRefund::Batch, AsyncRefund::SameDay];
const STORE_DATA: [StoreData; 2] = [StoreData::Optional, StoreData::Required];
const GRACES: [CancelGrace; 2] = [CancelGrace::PaidToo, CancelGrace::UnpaidOnly];
const WALLET_COLUMNS: [WalletColumn; 2] = [WalletColumn::PaymentInst, WalletColumn::Issue];
const RMB_COLUMNS: [RmbColumns; 2] = [RmbColumns::Shown, RmbColumns::Hidden];
const REVIEWS: [StoreReview; 2] = [StoreReview::Instant, StoreReview::Manual];
const PAUSES: [SyncRefundPause; 2] = [SyncRefundPause::None, SyncRefundPause::AfterMidnight];
const KEY_KINDS: [KeyKind; 2] = [KeyKind::Md5, KeyKind::PartnerRsa];

fn pick<T: Copy>(
    list: &[T],
    code: i64,
    table: &'static str,
    column: &'static str,
) -> Result<T, StoreError> {
    let found = usize::try_from(code).ok().and_then(|place| list.get(place));
    found.copied().ok_or(corrupt(table, column))
}

fn code<T: PartialEq>(list: &[T], value: T) -> i64 {
    let place = list.iter().position(|known| *known == value);
    place
        .and_then(|place| i64::try_from(place).ok())
        .unwrap_or(-1)
}

fn partner(row: &Row<'_>) -> Result<Partner, StoreError> {
    let currency = rows::currency(row.get("settlement_currency")?, "partner")?;
    let limit = |column: &'static str| limit(row, column, currency);
    let country: String = row.get("country")?;
    let commission: u32 = row.get("commission")?;
    let client_ips: String = row.get("client_ips")?;
    let contract = Contract {
        product: term(row, &PRODUCTS, "product")?,
        country: Country::parse(&country).ok_or(corrupt("partner", "country"))?,
        settlement_currency: currency,
        wallets: term(row, &WALLETS, "wallets")?,
        commission: FeeRate::of_millionths(commission)
            .map_err(|_| corrupt("partner", "commission"))?,
        commission_on_refund: term(row, &ON_REFUND, "commission_on_refund")?,
        async_refund: term(row, &ASYNC_REFUNDS, "async_refund")?,
        refund_days: row.get("refund_days")?,
        notify_url: row.get("notify_url")?,
        reserve: Money::of_minor(row.get("reserve")?, currency),
        store_data: term(row, &STORE_DATA, "store_data")?,
        cancel_grace: term(row, &GRACES, "cancel_grace")?,
        wallet_column: term(row, &WALLET_COLUMNS, "wallet_column")?,
        rmb_columns: term(row, &RMB_COLUMNS, "rmb_columns")?,
        calendar: term(row, &CalendarName::ALL, "calendar")?,
        store_review: term(row, &REVIEWS, "store_review")?,
        sync_refund_pause: term(row, &PAUSES, "sync_refund_pause")?,
        services: Services::from_bits(row.get("services")?)
            .ok_or(corrupt("partner", "services"))?,
        client_ips: client_ips
            .split_ascii_whitespace()
            .map(|address| {
                address
                    .parse()
                    .map_err(|_| corrupt("partner", "client_ips"))
            })
            .collect::<Result<_, _>>()?,
        limit_per_payment: limit("limit_per_payment")?,
        limit_per_day: limit("limit_per_day")?,
        limit_product: limit("limit_product")?,
    };
    Ok(Partner {
        id: rows::partner_id(row.get("id")?, "partner")?,
        name: row.get("name")?,
        contract: contract
            .checked()
            .map_err(|_| corrupt("partner", "product"))?,
        default_shop: rows::shop(row)?,
        keys: Vec::new(),
    })
}

/// A term of the contract, by its place among all that it may be.
fn term<T: Copy>(row: &Row<'_>, all: &[T], column: &'static str) -> Result<T, StoreError> {
    pick(all, row.get(column)?, "partner", column)
}

fn limit(
    row: &Row<'_>,
    column: &'static str,
    currency: Currency,
) -> Result<Option<Amount>, StoreError> {
    row.get::<_, Option<i64>>(column)?
        .map(|minor| rows::amount(minor, currency, "partner"))
        .transpose()
}

pub(super) fn write(tx: &Connection, change: &ConfigChange) -> Result<(), StoreError> {
    match change {
        ConfigChange::PutPartner(partner) => write_partner(tx, partner),
        ConfigChange::PutDefaultShop(shop) => {
            write_shop(tx, shop)?;
            tx.prepare_cached("UPDATE partner SET default_shop = ? WHERE id = ?")?
                .execute(params![shop.key().0, rows::number(shop.partner.number())])?;
            Ok(())
        }
        ConfigChange::PutRate(rate) => {
            let key = (
                rate.base.numeric(),
                rate.quote.numeric(),
                rate.from.as_days(),
            );
            let e8 = i64::try_from(rate.rate.e8()).map_err(|_| corrupt("rate", "rate"))?;
            tx.prepare_cached(
                "INSERT OR REPLACE INTO rate (base, quote, from_date, rate, source) VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![key.0, key.1, key.2, e8, rate.source])?;
            Ok(())
        }
        ConfigChange::SetHolidays(calendar, dates) => {
            let calendar = code(&CalendarName::ALL, *calendar);
            tx.prepare_cached("DELETE FROM holiday WHERE calendar = ?")?
                .execute([calendar])?;
            let mut put =
                tx.prepare_cached("INSERT INTO holiday (calendar, date) VALUES (?, ?)")?;
            for date in dates {
                put.execute(params![calendar, date.as_days()])?;
            }
            Ok(())
        }
        ConfigChange::JobDone(job, date) => {
            tx.prepare_cached("INSERT OR REPLACE INTO job (job, date) VALUES (?, ?)")?
                .execute(params![code(&Job::ALL, *job), date.as_days()])?;
            Ok(())
        }
        ConfigChange::MoveClock(offset) => put_setting(tx, CLOCK_OFFSET, offset.as_micros()),
    }
}

fn write_partner(tx: &Connection, partner: &Partner) -> Result<(), StoreError> {
    let contract = &partner.contract;
    stores::write_default(tx, &partner.default_shop, &contract.country)?;
    let id = rows::number(partner.id.number());
    let limit = |limit: Option<Amount>| limit.map(|limit| limit.money().minor());
    let client_ips: Vec<String> = contract
        .client_ips
        .iter()
        .map(ToString::to_string)
        .collect();
    tx.prepare_cached(
        "INSERT INTO partner (id, name, product, country, settlement_currency, wallets, commission,
         commission_on_refund, async_refund, refund_days, notify_url, reserve, store_data, cancel_grace,
         wallet_column, client_ips, limit_per_payment, limit_per_day, limit_product, default_shop, store_review,
         sync_refund_pause, services, calendar, rmb_columns)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)
         ON CONFLICT (id) DO UPDATE SET name = ?2, product = ?3, country = ?4, settlement_currency = ?5,
         wallets = ?6, commission = ?7, commission_on_refund = ?8, async_refund = ?9, refund_days = ?10,
         notify_url = ?11, reserve = ?12, store_data = ?13, cancel_grace = ?14, wallet_column = ?15,
         client_ips = ?16, limit_per_payment = ?17, limit_per_day = ?18, limit_product = ?19, default_shop = ?20,
         store_review = ?21, sync_refund_pause = ?22, services = ?23, calendar = ?24, rmb_columns = ?25",
    )?
    .execute(params![
        id,
        partner.name,
        code(&PRODUCTS, contract.product),
        contract.country.as_str(),
        contract.settlement_currency.numeric(),
        code(&WALLETS, contract.wallets),
        contract.commission.millionths(),
        code(&ON_REFUND, contract.commission_on_refund),
        code(&ASYNC_REFUNDS, contract.async_refund),
        contract.refund_days,
        contract.notify_url,
        contract.reserve.minor(),
        code(&STORE_DATA, contract.store_data),
        code(&GRACES, contract.cancel_grace),
        code(&WALLET_COLUMNS, contract.wallet_column),
        client_ips.join(" "),
        limit(contract.limit_per_payment),
        limit(contract.limit_per_day),
        limit(contract.limit_product),
        partner.default_shop.key().0,
        code(&REVIEWS, contract.store_review),
        code(&PAUSES, contract.sync_refund_pause),
        contract.services.bits(),
        code(&CalendarName::ALL, contract.calendar),
        code(&RMB_COLUMNS, contract.rmb_columns),
    ])?;
    tx.prepare_cached("DELETE FROM partner_key WHERE partner = ?")?
        .execute([id])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO partner_key (partner, place, kind, text, since, until) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for (place, key) in partner.keys.iter().enumerate() {
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        let until = key.until.map(Timestamp::as_micros);
        insert.execute(params![
            id,
            place,
            code(&KEY_KINDS, key.kind),
            key.text,
            key.from.as_micros(),
            until
        ])?;
    }
    Ok(())
}

pub(super) fn write_shop(tx: &Connection, shop: &Shop) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT OR IGNORE INTO shop (key, partner, secondary_merchant_id, secondary_merchant_name,
         secondary_merchant_industry, store_id, store_name) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        shop.key().0,
        rows::number(shop.partner.number()),
        shop.secondary_merchant_id.as_str(),
        shop.secondary_merchant_name,
        shop.secondary_merchant_industry,
        shop.store_id.as_str(),
        shop.store_name,
    ])?;
    Ok(())
}

fn setting(connection: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    let found = connection.query_row("SELECT value FROM setting WHERE name = ?", [name], |row| {
        row.get(0)
    });
    Ok(found.optional()?)
}

pub(super) fn put_setting(tx: &Connection, name: &str, value: i64) -> Result<(), StoreError> {
    tx.prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)")?
        .execute(params![name, value])?;
    Ok(())
}
