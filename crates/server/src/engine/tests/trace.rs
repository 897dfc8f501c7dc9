//! The same seed, the same trace: nothing depends on anything but its input.

use super::*;

/// Numbers from a seed, the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// 1,000 commands from a seed, in batches of random size, with faults among them: what was heard.
fn trace(seed: u64) -> (Vec<String>, Vec<u8>) {
    let mut house = House::new();
    let mut dice = Dice(seed);
    let mut heard = Vec::new();
    let mut left = 1_000_u64;
    while left > 0 {
        let count = (1 + dice.roll(20)).min(left);
        left -= count;
        let commands: Vec<Command> = (0..count)
            .map(|_| {
                let id = format!("T{}", dice.roll(200));
                match dice.roll(10) {
                    0..6 => {
                        let wallet = ["alice", "bob", "careful", "poor", "frozen"]
                            [usize::try_from(dice.roll(5)).unwrap()];
                        house.pay(&id, wallet, 1 + i64::try_from(dice.roll(3)).unwrap())
                    }
                    6..9 => cancel(&id),
                    _ => open_wallet(dice.roll(50)),
                }
            })
            .collect();
        if dice.roll(10) == 0 {
            let fates = [
                Fate::StoredInDoubt,
                Fate::LostInDoubt,
                Fate::Fails,
                Fate::Conflicts,
            ];
            house
                .disk
                .set(&[fates[usize::try_from(dice.roll(4)).unwrap()]]);
        }
        heard.extend(
            house
                .run_all(commands)
                .into_iter()
                .map(|heard| format!("{heard:?}")),
        );
        house
            .clock
            .pass(Span::millis(i64::try_from(dice.roll(20_000)).unwrap()));
        house.engine.step();
    }
    house.books();
    let store = SqliteStore::open(house.folder.path()).unwrap();
    let rows = store.reader().unwrap().dump().unwrap();
    (heard, rows)
}

fn open_wallet(number: u64) -> Command {
    let id = wallet_id(number);
    let alias = Alias::from_number(500_000_000 + u32::try_from(number).unwrap()).unwrap();
    Command::OpenWallet(Box::new(OpenWallet {
        id,
        name: format!("w{number}").into(),
        login: "852****0000".into(),
        inst: PaymentInst::AlipayHk,
        balance: Amount::new(Money::of_minor(100, Currency::HKD)).ok(),
        confirmation: Confirmation::NotAsked,
        state: WalletState::Active,
        device: Device {
            alias,
            wallet: id,
            secret: CodeSecret::new([1; 16]),
        },
    }))
}

// Goal: the same seed gives the same answers and the same rows: nothing in the engine, the rules or
// the store depends on anything but its input.
#[test]
fn a_thousand_commands_twice_give_the_same_trace() {
    let (first, second) = (trace(7), trace(7));
    assert_eq!(first.0.len(), 1_000);
    assert_eq!(first, second);
    assert_ne!(first.0, trace(8).0, "the seed matters");
}
