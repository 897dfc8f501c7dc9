//! Why a signature was wrong, for whoever looks at the request afterwards; never for the caller.

use std::sync::Arc;

use spotpay_core::id::PartnerId;
use spotpay_wire::autopsy::{Evidence, Key, KeyRing, OtherKey, Owner, examine};

use crate::app::App;
use crate::snapshot::PartnerEntry;

/// Other partners whose keys are tried: a laptop's sandbox has a handful.
const OTHERS_MAX: usize = 20;

/// The likely mistake of a request with a wrong signature, in a sentence; none when nothing
/// explains it, and when another one is being looked at: guessing must not cost payments.
pub(crate) async fn likely(
    app: &Arc<App>,
    partner: PartnerId,
    query: &[u8],
    body: &[u8],
) -> Option<String> {
    let permit = app.autopsies.try_acquire().ok()?;
    let entry = Arc::clone(app.snapshot.load().partner(partner)?);
    let (query, body) = (query.to_vec(), body.to_vec());
    let looking = Arc::clone(app);
    let found = app.blocking(move || {
        let others = other_keys(&looking, &entry);
        let (md5, rsa) = entry.keys_in_force(looking.clock.now());
        let keys = KeyRing {
            md5: &md5,
            rsa: &rsa,
            others: &others,
            ..KeyRing::default()
        };
        examine(&Evidence::request(&query, &body), &keys).summary()
    });
    let found = found.await.flatten();
    drop(permit);
    found
}

/// The gateway's own key, the partner's that no longer count, and those of other partners.
fn other_keys(app: &App, entry: &PartnerEntry) -> Vec<OtherKey> {
    let mut others = vec![OtherKey {
        name: "the gateway's key".to_owned(),
        owner: Owner::OtherSide,
        key: Key::Rsa(app.gateway_key.public_key().clone()),
    }];
    let old = entry.keys_not_in_force(app.clock.now());
    others.extend(old.into_iter().map(|key| OtherKey {
        name: "a key that was replaced".to_owned(),
        owner: Owner::NotInForce,
        key,
    }));
    let snapshot = app.snapshot.load();
    let rest = snapshot.config.partners.values();
    for partner in rest
        .filter(|other| other.id != entry.partner.id)
        .take(OTHERS_MAX)
    {
        let Some(other) = snapshot.partner(partner.id) else {
            continue;
        };
        let (md5, rsa) = other.keys_in_force(app.clock.now());
        let keys = md5
            .into_iter()
            .map(Key::Md5)
            .chain(rsa.into_iter().map(Key::Rsa));
        others.extend(keys.map(|key| OtherKey {
            name: format!("{} ({})", partner.name, partner.id),
            owner: Owner::OtherPartner,
            key,
        }));
    }
    others
}
