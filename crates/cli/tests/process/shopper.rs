//! Tills that run the merchant SDK: whole checkouts, each till with a journal on the disk.

use std::path::PathBuf;
use std::time::Duration;

use spotpay_client::{
    Amount, Client, Currency, Ending, FileJournal, HttpSettings, Money, Patience, PaymentCode,
    Sale, Settings, Silent, Span, SystemPace,
};

use super::{Gateway, Place};

/// One till.
pub(crate) struct Shopper {
    journal: PathBuf,
    client: Client,
}

/// How a checkout ended; `None`: its till does not know.
pub(crate) type Ended = (String, Option<bool>);

impl Shopper {
    /// A till of a seeded partner, with little patience.
    pub(crate) fn new(place: &Place, gateway: &Gateway, partner: &str, number: usize) -> Self {
        let sandbox = gateway.fetch("/sandbox.json");
        let partners = sandbox["partners"].as_array().expect("partners");
        let found = partners.iter().find(|found| found["name"] == partner);
        let found = found.expect("the partner");
        let text = |field: &str| found[field].as_str().expect("text");
        let url = format!("{}/gateway.do", gateway.origin);
        let settings = Settings::md5(
            url.parse().expect("a gateway"),
            text("partner_id").parse().expect("an id"),
            text("md5_key"),
        );
        let mut settings = settings.expect("settings");
        settings.patience = Patience {
            poll: Span::millis(20),
            limit: Span::millis(100),
            cancel_tries: 2,
            cancel_pause: Span::millis(20),
            ..Patience::default()
        };
        let http = HttpSettings {
            connect: Duration::from_secs(1),
            read: Duration::from_secs(10),
            ca_pem: None,
        };
        Self {
            journal: place.file(&format!("journal-{number}.jsonl")),
            client: Client::over_http(settings, &http).expect("a client"),
        }
    }

    /// One checkout after another, until one does not end.
    pub(crate) fn shop(&self, sales: &[(String, PaymentCode)]) -> Vec<Ended> {
        let mut journal = FileJournal::open(&self.journal).expect("a journal");
        let (pace, mut silent) = (SystemPace::new(), Silent);
        let mut ended = Vec::new();
        for (id, code) in sales {
            let amount = Amount::new(Money::of_minor(500, Currency::HKD)).expect("an amount");
            let sale = Sale::new(id.parse().expect("an id"), amount, "Tea", code.clone());
            let ending = self
                .client
                .checkout(sale, &mut journal, &pace, &mut silent)
                .expect("the journal is written");
            let paid = paid(&ending);
            ended.push((id.clone(), paid));
            if paid.is_none() {
                break;
            }
        }
        ended
    }

    /// What a till does when it is switched on again: finishes what its journal holds.
    pub(crate) fn resume(&self) -> Vec<Ended> {
        let mut journal = FileJournal::open(&self.journal).expect("a journal");
        let (pace, mut silent) = (SystemPace::new(), Silent);
        let mut ended = Vec::new();
        for open in journal.unfinished() {
            assert!(self.client.owns(&open));
            let ending = self
                .client
                .resume(&open, &mut journal, &pace, &mut silent)
                .expect("the journal is written");
            if let Ending::Paid(receipt) = &ending {
                self.client
                    .accept(&open, receipt, &mut journal, &pace)
                    .expect("the journal is written");
            }
            let id = open.key.partner_trans_id.to_string();
            assert!(paid(&ending).is_some(), "{id}: {ending:?}");
            ended.push((id, paid(&ending)));
        }
        assert!(journal.unfinished().is_empty());
        ended
    }
}

fn paid(ending: &Ending) -> Option<bool> {
    if let Ending::Paid(_) = ending {
        Some(true)
    } else if let Ending::NotPaid(_) = ending {
        Some(false)
    } else {
        None
    }
}
