//! Stores: what a partner registers, and what becomes of it (`spec/08`).

use std::sync::Arc;

use crate::command::StoreReview as Review;
use crate::config::ConfigChange;
use crate::decide::{Context, Decision, Reply};
use crate::partner::{Country, Partner, Product, StoreReview};
use crate::registration::{Registration, StoreData, StoreState};
use crate::working_set::{Changes, WorkingSet};

/// Why a store is not registered, in the order of the checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreRefusal {
    /// The partner is not in the configuration.
    PartnerUnknown,
    /// Under an HK contract stores and businesses are in Hong Kong (`spec/13`, 15).
    NotInHongKong,
    /// A taxi's drivers are those of its first registration.
    DriversDiffer,
    /// There is no such store to decide about.
    StoreUnknown,
    /// The contract was signed with this store: it is not for anyone to decide about.
    IsDefault,
}

pub(super) fn decide_register(
    set: &WorkingSet,
    data: &StoreData,
    context: &Context<'_>,
) -> Decision {
    reply(register(set, data, context))
}

pub(super) fn decide_review(set: &WorkingSet, review: &Review, context: &Context<'_>) -> Decision {
    reply(decide_about(set, review, context))
}

type Decided = Result<Changes, StoreRefusal>;

fn reply(decided: Decided) -> Decision {
    match decided {
        Ok(changes) => match changes.registration.clone() {
            Some(registration) => Decision {
                changes,
                reply: Reply::Store(Ok(registration)),
            },
            None => Decision::unchanged(Reply::Store(Err(StoreRefusal::StoreUnknown))),
        },
        Err(refusal) => Decision::unchanged(Reply::Store(Err(refusal))),
    }
}

fn register(set: &WorkingSet, data: &StoreData, context: &Context<'_>) -> Decided {
    let key = data.key();
    let partner = context.config.partner(key.partner);
    let partner = partner.ok_or(StoreRefusal::PartnerUnknown)?;
    check_country(partner, data)?;
    let known = set.store(&key);
    if let Some(known) = known {
        check_drivers(&known.data, data)?;
    }
    let is_default = is_default(partner, data);
    let unchanged =
        known.filter(|known| known.data == *data && known.state == StoreState::Verified);
    let state = match partner.contract.store_review {
        StoreReview::Manual if !is_default && unchanged.is_none() => StoreState::Processing,
        StoreReview::Manual | StoreReview::Instant => StoreState::Verified,
    };
    let registration = Registration {
        data: data.clone(),
        state,
        at: context.now,
    };
    // Payments that name no store follow the names of the default one.
    let config = is_default.then(|| ConfigChange::PutDefaultShop(data.shop.clone()));
    Ok(Changes {
        shop: Some(Arc::new(data.shop.clone())),
        registration: Some(Box::new(registration)),
        config,
        ..Changes::default()
    })
}

fn decide_about(set: &WorkingSet, review: &Review, context: &Context<'_>) -> Decided {
    let known = set.store(&review.key).ok_or(StoreRefusal::StoreUnknown)?;
    let partner = context.config.partner(review.key.partner);
    if partner.is_some_and(|partner| is_default(partner, &known.data)) {
        return Err(StoreRefusal::IsDefault);
    }
    Ok(Changes {
        registration: Some(Box::new(Registration {
            state: review.state.clone(),
            ..known.clone()
        })),
        ..Changes::default()
    })
}

fn is_default(partner: &Partner, data: &StoreData) -> bool {
    let (default, shop) = (&partner.default_shop, &data.shop);
    default.secondary_merchant_id == shop.secondary_merchant_id && default.store_id == shop.store_id
}

fn check_country(partner: &Partner, data: &StoreData) -> Result<(), StoreRefusal> {
    let abroad = |country: &Country| *country != Country::HK;
    match partner.contract.product {
        Product::Hk
            if abroad(&data.store_country)
                || data.register_country.as_ref().is_some_and(abroad) =>
        {
            Err(StoreRefusal::NotInHongKong)
        }
        Product::Hk | Product::Standard => Ok(()),
    }
}

/// Drivers cannot be added or changed once there are some.
fn check_drivers(known: &StoreData, data: &StoreData) -> Result<(), StoreRefusal> {
    let sorted = |data: &StoreData| {
        let mut drivers = data.drivers.clone();
        drivers.sort_unstable();
        drivers
    };
    if known.drivers.is_empty() || sorted(known) == sorted(data) {
        Ok(())
    } else {
        Err(StoreRefusal::DriversDiffer)
    }
}
