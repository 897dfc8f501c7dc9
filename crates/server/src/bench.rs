//! The ceilings of a machine, for `spotpay bench limits`: what a payment costs with one part of it
//! left out, and a store filled beforehand.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;
use axum::routing::any;
use spotpay_core::command::{Buyer, Command, Keys, OpenWallet, Pay};
use spotpay_core::config::Config;
use spotpay_core::decide::{Context, decide};
use spotpay_core::id::{PartnerId, WalletId};
use spotpay_core::money::{Amount, Currency, Money};
use spotpay_core::payment_code::{Alias, CodeSecret, CodeTag, CodeUse, slot_at};
use spotpay_core::shop::ShopFound;
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::trade::{ContentHash, Dialect, TradeKey};
use spotpay_core::wallet::{Confirmation, Device, PaymentInst, WalletState};
use spotpay_store::sqlite::SqliteStore;
use spotpay_store::{BatchId, CommitError, Store, StoreError};
use spotpay_wire::form::Form;

use crate::app::App;
use crate::gateway;
use crate::listen::{self, Limits};
use crate::seed;

/// The store's file inside a data directory.
pub const STORE_FILE: &str = spotpay_store::sqlite::FILE_NAME;

/// The gateway's HTTP path with the ledger left out: read, verified, parsed, answered, signed.
pub fn router_without_ledger(app: Arc<App>) -> Router {
    Router::new()
        .route("/gateway.do", any(serve))
        .with_state(app)
}

async fn serve(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = listen::read_body(body, &Limits::default())
        .await
        .unwrap_or_default();
    let form = Form::read(head.uri.query().unwrap_or_default().as_bytes(), &body);
    gateway::answer_without_ledger(&app, &form).into_response()
}

/// Payments decided and stored in batches without HTTP, queue or signature.
pub struct StoreAlone {
    store: SqliteStore,
    config: Config,
    now: Timestamp,
    batch: i64,
    made: u64,
    wallets: u64,
    start: Timestamp,
    /// Numbers of ids used so far; they decide what time it is.
    used: u64,
}

/// Why the bench cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A batch was not stored.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// What every bench wallet holds.
const BALANCE: i64 = 1_000_000_000_000;
/// Payments made in one second of the bench's own clock, well below the ids of one second.
const PER_SECOND: u64 = 50_000;
/// Rows that are filled behind the commits at once.
const TEND_ROWS: usize = 10_000;

impl StoreAlone {
    /// A seeded store in a folder, with wallets, its clock starting at an instant.
    ///
    /// # Errors
    /// [`BenchError`].
    pub fn open(data: &Path, wallets: u64, start: Timestamp) -> Result<Self, BenchError> {
        let store = SqliteStore::open(data)?;
        let mut alone = Self {
            store,
            config: Config::default(),
            now: start,
            batch: 0,
            made: 0,
            wallets,
            start,
            used: 0,
        };
        alone.commit(&seed::commands())?;
        alone.config = alone.store.config()?;
        let numbers: Vec<u64> = (0..wallets).collect();
        for some in numbers.chunks(1_000) {
            let open: Vec<Command> = some.iter().map(|number| open_wallet(*number)).collect();
            alone.commit(&open)?;
        }
        Ok(alone)
    }

    /// Decides and stores so many payments in one batch. Till-like ids ascend, random ones do not.
    ///
    /// # Errors
    /// [`BenchError`].
    pub fn pay(&mut self, count: u64, random_ids: bool) -> Result<(), BenchError> {
        let commands: Vec<Command> = (0..count)
            .map(|place| self.payment(self.made + place, random_ids))
            .collect();
        self.made += count;
        self.commit(&commands)
    }

    /// Payments stored so far.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Moves the WAL into the main file, as a checkpointer does beside a running engine.
    ///
    /// # Errors
    /// [`BenchError`].
    pub fn checkpoint(&mut self) -> Result<(), BenchError> {
        if self.store.gauge().is_full() {
            self.store.checkpointer()?.run()?;
            self.store.maintain()?;
        }
        Ok(())
    }

    /// Fills what is filled behind the commits, all of it.
    ///
    /// # Errors
    /// [`BenchError`].
    pub fn tend(&mut self) -> Result<(), BenchError> {
        while self.store.tend(TEND_ROWS)? {
            self.checkpoint()?;
        }
        Ok(())
    }

    fn payment(&self, number: u64, random_ids: bool) -> Command {
        let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = usize::try_from(number % 2).unwrap_or(0);
        let seed = seed::PARTNERS
            .get(place)
            .unwrap_or_else(|| unreachable!("there are three"));
        let partner = PartnerId::from_number(seed.number())
            .unwrap_or_else(|| unreachable!("a seeded number"));
        let id = if random_ids {
            format!("R{scattered:020}")
        } else {
            format!("TILL{:04}-{:012}", number % 1_000, number / 1_000)
        };
        let amount = amount(1_000 + i64::try_from(number % 9_000).unwrap_or(0));
        let shop = seed::default_shop(partner, seed.name);
        let wallet = scattered % self.wallets;
        let alias =
            Alias::from_number(u32::try_from(scattered % u64::from(Alias::COUNT)).unwrap_or(0));
        let alias = alias.unwrap_or_else(|| unreachable!("a number below the count"));
        Command::Pay(Box::new(Pay {
            key: TradeKey {
                partner,
                id: id.parse().unwrap_or_else(|_| unreachable!("a plain id")),
            },
            amount,
            list_currency: None,
            buyer: Ok(Buyer {
                wallet: wallet_id(wallet),
                code: CodeUse {
                    alias,
                    slot: slot_at(self.now),
                },
            }),
            code: CodeTag(i64::from_be_bytes(scattered.to_be_bytes())),
            shop: Ok(ShopFound::Stored(shop.key())),
            terminal: None,
            title: "Tea".into(),
            memo: None,
            notify_url: None,
            dialect: Dialect::default(),
            content: ContentHash::of(
                amount,
                None,
                partner,
                &shop.secondary_merchant_id,
                &shop.store_id,
            ),
        }))
    }

    fn commit(&mut self, commands: &[Command]) -> Result<(), BenchError> {
        let seconds = i64::try_from(self.used / PER_SECOND).unwrap_or(0);
        self.now = self.start.plus(Span::seconds(seconds));
        let first = u32::try_from(self.used % PER_SECOND).unwrap_or(0);
        self.used += u64::try_from(commands.len()).unwrap_or(0);
        let mut keys = Keys::default();
        commands
            .iter()
            .for_each(|command| command.add_keys(&self.config, self.now, &mut keys));
        let mut set = self.store.load(&keys)?;
        for (command, number) in commands.iter().zip(first..) {
            let decision = decide(
                &set,
                command,
                &Context {
                    now: self.now,
                    number,
                    config: &self.config,
                },
            );
            set.apply(decision.changes);
        }
        self.batch += 1;
        self.store.commit(&set, BatchId(self.batch), self.now)?;
        Ok(())
    }
}

fn amount(minor: i64) -> Amount {
    Amount::new(Money::of_minor(minor, Currency::HKD))
        .unwrap_or_else(|_| unreachable!("above zero"))
}

fn wallet_id(number: u64) -> WalletId {
    WalletId::from_number(number).unwrap_or_else(|| unreachable!("fewer than twelve digits"))
}

fn open_wallet(number: u64) -> Command {
    let alias = u32::try_from(number).ok().and_then(Alias::from_number);
    Command::OpenWallet(Box::new(OpenWallet {
        id: wallet_id(number),
        name: format!("bench-{number}").into(),
        login: "852****0000".into(),
        inst: PaymentInst::AlipayHk,
        balance: Some(amount(BALANCE)),
        confirmation: Confirmation::NotAsked,
        state: WalletState::Active,
        device: Device {
            alias: alias.unwrap_or_else(|| unreachable!("fewer than a thousand million wallets")),
            wallet: wallet_id(number),
            secret: CodeSecret::new([1; CodeSecret::BYTES]),
        },
    }))
}
