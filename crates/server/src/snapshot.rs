//! The configuration as requests need it: partners with their keys parsed, as one value that is
//! swapped whole.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use spotpay_core::config::Config;
use spotpay_core::id::PartnerId;
use spotpay_core::partner::{KeyKind, Partner, PartnerKey};
use spotpay_core::time::Timestamp;
use spotpay_wire::autopsy::Key;
use spotpay_wire::keys::{PrivateKey, PublicKey};
use spotpay_wire::signature::{Md5Key, SignType, Signer, Verifier};

/// A key with the time in which it counts.
#[derive(Clone, Debug)]
struct Dated<K> {
    key: K,
    from: Timestamp,
    until: Option<Timestamp>,
}

impl<K> Dated<K> {
    fn counts(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }
}

/// A partner with its keys ready for use.
#[derive(Debug)]
pub struct PartnerEntry {
    /// The partner.
    pub partner: Arc<Partner>,
    md5: Vec<Dated<Md5Key>>,
    rsa: Vec<Dated<PublicKey>>,
}

/// The two ends of one sign type: what verifies the partner's requests, what signs our answers.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// For the request.
    pub verifier: Verifier,
    /// For the answer.
    pub signer: Signer,
}

impl PartnerEntry {
    fn new(partner: &Arc<Partner>) -> Self {
        let mut entry = Self {
            partner: Arc::clone(partner),
            md5: Vec::new(),
            rsa: Vec::new(),
        };
        for key in &partner.keys {
            let PartnerKey { from, until, .. } = *key;
            let parsed = match key.kind {
                KeyKind::Md5 => key
                    .text
                    .parse()
                    .map(|key| entry.md5.push(Dated { key, from, until }))
                    .is_ok(),
                KeyKind::PartnerRsa => key
                    .text
                    .parse()
                    .map(|key| entry.rsa.push(Dated { key, from, until }))
                    .is_ok(),
            };
            if !parsed {
                tracing::error!(partner = %partner.id, kind = ?key.kind, "a stored key cannot be read; it is left out");
            }
        }
        entry
    }

    /// Every key that counts at an instant, the newest of a kind last.
    pub fn keys_in_force(&self, now: Timestamp) -> (Vec<Md5Key>, Vec<PublicKey>) {
        let md5 = self.md5.iter().filter(|dated| dated.counts(now));
        let rsa = self.rsa.iter().filter(|dated| dated.counts(now));
        (
            md5.map(|dated| dated.key.clone()).collect(),
            rsa.map(|dated| dated.key.clone()).collect(),
        )
    }

    /// Keys that no longer count, or not yet.
    pub fn keys_not_in_force(&self, now: Timestamp) -> Vec<Key> {
        let md5 = self.md5.iter().filter(|dated| !dated.counts(now));
        let rsa = self.rsa.iter().filter(|dated| !dated.counts(now));
        md5.map(|dated| Key::Md5(dated.key.clone()))
            .chain(rsa.map(|dated| Key::Rsa(dated.key.clone())))
            .collect()
    }

    /// The keys of a sign type that count at an instant, the newest first.
    pub fn keys(&self, sign_type: SignType, gateway: &PrivateKey, now: Timestamp) -> Vec<KeyPair> {
        let md5 = || {
            self.md5
                .iter()
                .rev()
                .filter(|key| key.counts(now))
                .map(|dated| dated.key.clone())
        };
        let rsa = || {
            self.rsa
                .iter()
                .rev()
                .filter(|key| key.counts(now))
                .map(|dated| dated.key.clone())
        };
        match sign_type {
            SignType::Md5 => md5()
                .map(|key| KeyPair {
                    verifier: Verifier::Md5(key.clone()),
                    signer: Signer::Md5(key),
                })
                .collect(),
            SignType::Rsa => rsa()
                .map(|key| KeyPair {
                    verifier: Verifier::Rsa(key),
                    signer: Signer::Rsa(gateway.clone()),
                })
                .collect(),
            SignType::Rsa2 => rsa()
                .map(|key| KeyPair {
                    verifier: Verifier::Rsa2(key),
                    signer: Signer::Rsa2(gateway.clone()),
                })
                .collect(),
        }
    }
}

/// One version of the configuration, ready for requests.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The configuration itself.
    pub config: Arc<Config>,
    partners: HashMap<PartnerId, Arc<PartnerEntry>>,
}

impl Snapshot {
    /// The next version; keys of partners that did not change are not parsed again.
    fn next(&self, config: &Arc<Config>) -> Self {
        let entry = |partner: &Arc<Partner>| match self.partners.get(&partner.id) {
            Some(entry) if Arc::ptr_eq(&entry.partner, partner) => Arc::clone(entry),
            Some(_) | None => Arc::new(PartnerEntry::new(partner)),
        };
        let partners = config
            .partners
            .values()
            .map(|partner| (partner.id, entry(partner)))
            .collect();
        Self {
            config: Arc::clone(config),
            partners,
        }
    }

    /// A partner by its number.
    pub fn partner(&self, id: PartnerId) -> Option<&Arc<PartnerEntry>> {
        self.partners.get(&id)
    }

    /// A partner by its name.
    pub fn partner_named(&self, name: &str) -> Option<&Arc<PartnerEntry>> {
        let partner = self
            .config
            .partners
            .values()
            .find(|partner| &*partner.name == name)?;
        self.partners.get(&partner.id)
    }
}

/// The present version, read without a lock.
#[derive(Debug, Default)]
pub struct SnapshotCell(ArcSwap<Snapshot>);

impl SnapshotCell {
    /// The present version.
    pub fn load(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.0.load()
    }

    /// Takes over a new configuration.
    pub fn publish(&self, config: &Arc<Config>) {
        let next = self.0.load().next(config);
        self.0.store(Arc::new(next));
    }
}
