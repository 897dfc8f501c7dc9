//! Registered stores: rows to values and back.

use rusqlite::{Connection, Row, params};
use spotpay_core::id::PartnerId;
use spotpay_core::partner::Country;
use spotpay_core::registration::{Registration, StoreData, StoreKey, StoreState};
use spotpay_core::shop::Shop;
use spotpay_core::time::Timestamp;
use spotpay_core::working_set::WorkingSet;

use super::config::write_shop;
use super::read::{all, one};
use super::rows::{self, concat_columns, corrupt};
use crate::StoreError;

/// The columns that [`registration`] reads, in their order, and where they come from.
macro_rules! select_registration {
    ($where:literal) => {
        concat!(
            concat_columns!(
                "SELECT ",
                SHOP,
                ", state, reject_reason, at, store_country, register_country, drivers, details
                 FROM registration JOIN shop ON shop.key = registration.shop "
            ),
            $where
        )
    };
}

/// `shop` of the row comes first, in [`rows::shop`]'s order: 7 columns.
const COLUMNS_BEFORE: usize = 7;

fn registration(row: &Row<'_>) -> Result<Registration, StoreError> {
    let text =
        |place: usize| -> Result<String, StoreError> { Ok(row.get(COLUMNS_BEFORE + place)?) };
    let country = |text: &str| Country::parse(text).ok_or(corrupt("registration", "country"));
    let register_country: Option<String> = row.get(COLUMNS_BEFORE + 4)?;
    let drivers = serde_json::from_str(&text(5)?);
    let details = serde_json::from_str(&text(6)?);
    let reason: Option<Box<str>> = row.get(COLUMNS_BEFORE + 1)?;
    Ok(Registration {
        data: StoreData {
            shop: rows::shop(row)?,
            store_country: country(&text(3)?)?,
            register_country: register_country.as_deref().map(country).transpose()?,
            drivers: drivers.map_err(|_| corrupt("registration", "drivers"))?,
            details: details.map_err(|_| corrupt("registration", "details"))?,
        },
        state: match row.get(COLUMNS_BEFORE)? {
            0 => StoreState::Processing,
            1 => StoreState::Verified,
            2 => StoreState::Rejected {
                reason: reason.unwrap_or_default(),
            },
            _ => return Err(corrupt("registration", "state")),
        },
        at: Timestamp::from_micros(row.get(COLUMNS_BEFORE + 2)?),
    })
}

pub(super) fn by_key(
    connection: &Connection,
    key: &StoreKey,
) -> Result<Option<Registration>, StoreError> {
    const SQL: &str = select_registration!(
        "WHERE registration.partner = ? AND registration.secondary_merchant_id = ? AND registration.store_id = ?"
    );
    let params = params![
        rows::number(key.partner.number()),
        key.secondary_merchant_id.as_str(),
        key.store_id.as_str()
    ];
    one(connection, SQL, params, registration)
}

pub(super) fn of_partner(
    connection: &Connection,
    partner: PartnerId,
) -> Result<Vec<Registration>, StoreError> {
    const SQL: &str = select_registration!(
        "WHERE registration.partner = ? ORDER BY registration.secondary_merchant_id, registration.store_id"
    );
    let partner = rows::number(partner.number());
    all(connection, SQL, [partner], registration)
}

pub(super) fn write(tx: &Connection, set: &WorkingSet) -> Result<(), StoreError> {
    let stores = set.writes().stores.iter();
    for registration in stores.filter_map(|key| set.store(key)) {
        write_one(tx, registration)?;
    }
    Ok(())
}

fn write_one(tx: &Connection, registration: &Registration) -> Result<(), StoreError> {
    let data = &registration.data;
    write_shop(tx, &data.shop)?;
    let (state, reason) = match &registration.state {
        StoreState::Processing => (0, None),
        StoreState::Verified => (1, None),
        StoreState::Rejected { reason } => (2, Some(reason)),
    };
    let json = |column| move |_| corrupt("registration", column);
    let drivers = serde_json::to_string(&data.drivers).map_err(json("drivers"))?;
    let details = serde_json::to_string(&data.details).map_err(json("details"))?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO registration (partner, secondary_merchant_id, store_id, shop, state, reject_reason, at,
         store_country, register_country, drivers, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        rows::number(data.shop.partner.number()),
        data.shop.secondary_merchant_id.as_str(),
        data.shop.store_id.as_str(),
        data.shop.key().0,
        state,
        reason,
        registration.at.as_micros(),
        data.store_country.as_str(),
        data.register_country.as_ref().map(Country::as_str),
        drivers,
        details,
    ])?;
    Ok(())
}

/// The store with which a contract is signed: verified, and never registered over by its partner's
/// other terms.
pub(super) fn write_default(
    tx: &Connection,
    shop: &Shop,
    country: &Country,
) -> Result<(), StoreError> {
    write_shop(tx, shop)?;
    tx.prepare_cached(
        "INSERT INTO registration (partner, secondary_merchant_id, store_id, shop, state, store_country)
         VALUES (?1, ?2, ?3, ?4, 1, ?5)
         ON CONFLICT DO UPDATE SET shop = ?4",
    )?
    .execute(params![
        rows::number(shop.partner.number()),
        shop.secondary_merchant_id.as_str(),
        shop.store_id.as_str(),
        shop.key().0,
        country.as_str(),
    ])?;
    Ok(())
}
