//! Payment codes at the till: good once, for two minutes, and hard to guess.

use spotpay_core::payment_code::{Alias, CodeLength, CodeSecret, PaymentCode};
use spotpay_core::time::Span;

use crate::world::World;

/// A code as alice's phone makes it, whose seeded secret is known, at an instant from now.
fn of_alice(world: &World, ahead: Span, length: CodeLength) -> String {
    let alias = Alias::from_number(100_000_001).unwrap();
    let secret = CodeSecret::new([1; CodeSecret::BYTES]);
    let code = PaymentCode::make(alias, &secret, world.now().plus(ahead), length);
    code.as_str().to_owned()
}

/// The code with another digit in one place.
fn mistyped(code: &str, place: usize) -> String {
    let mut digits: Vec<u8> = code.bytes().collect();
    let digit = digits.get_mut(place).unwrap();
    *digit = if *digit == b'9' { b'0' } else { *digit + 1 };
    String::from_utf8(digits).unwrap()
}

// Goal: a code pays once, whoever asks; a refused pay does not use it up.
#[tokio::test]
async fn a_code_pays_once() {
    let world = World::start().await;
    world
        .check(
            "
        code A alice
        pay tea-house U1 $A 200000.00 -> FAILED:BUYER_BALANCE_NOT_ENOUGH
        pay tea-house U1 $A 10.00 -> SUCCESS
        pay tea-house U2 $A 10.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        pay dim-sum U1 $A 10.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        query tea-house U2 -> FAIL:TRADE_NOT_EXIST
        # Not even after its trade is undone.
        cancel tea-house U1 -> SUCCESS action=refund
        pay tea-house U2 $A 10.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        # A waiting trade uses its code up as well.
        code W careful
        pay tea-house U3 $W 10.00 -> UNKNOW
        pay tea-house U4 $W 10.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        wallet alice -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: a code is good to the last instant of its two minutes, and a phone may be a few seconds
// ahead, not more.
#[tokio::test]
async fn a_code_has_its_time() {
    let world = World::start().await;
    world.name(
        "late",
        &of_alice(&world, Span::seconds(12), CodeLength::Short),
    );
    world.name(
        "ahead",
        &of_alice(&world, Span::seconds(6), CodeLength::Short),
    );
    world
        .check(
            "
        code A alice
        code B alice
        pay tea-house T0 $late 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        pay tea-house T0 $ahead 1.00 -> SUCCESS
        clock PT2M5S
        pay tea-house T1 $A 1.00 -> SUCCESS
        clock PT1S
        pay tea-house T2 $B 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        query tea-house T2 -> FAIL:TRADE_NOT_EXIST
        pay tea-house T2 $late 1.00 -> SUCCESS
        # Six minutes later the same digits name another slot, and are still no good.
        clock PT4M
        pay tea-house T3 $B 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        clock PT24H
        pay tea-house T3 $A 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        books
        ",
        )
        .await;
}

// Goal: what no phone of ours made is refused alike: a mistyped digit in any place, another make,
// another length; and the good code pays after all of it.
#[tokio::test]
async fn wrong_digits() {
    let world = World::start().await;
    let good = world.code("alice").await;
    // Places of prefix, alias and slot; the last six have a limit of their own, below.
    for place in 1..12 {
        world.name("wrong", &mistyped(&good, place));
        world
            .check("pay tea-house M1 $wrong 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL")
            .await;
    }
    world.name("typo", &mistyped(&good, 17));
    world.name("good", &good);
    world
        .check(
            "
        pay tea-house M1 $typo 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        # The manual of another gateway, the sample of `spec/02`, 16 and 24 digits of nobody.
        pay tea-house M1 283854702356157409 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        pay tea-house M1 288888888888888888 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        pay tea-house M1 2512345678901234 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        pay tea-house M1 300000000000000000000000 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        query tea-house M1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house M1 $good 1.00 -> SUCCESS
        ",
        )
        .await;
}

// Goal: twenty-four digits pay like eighteen, with each prefix (`spec/09`), shown as QR or barcode;
// both forms of one moment are one code.
#[tokio::test]
async fn twenty_four_digits() {
    let world = World::start().await;
    for prefix in ["25", "26", "27", "28", "29", "30"] {
        world.check("code L alice 24").await;
        let code = world.names.lock().unwrap()["L"].clone();
        assert_eq!((code.len(), code.get(..2)), (24, Some(prefix)));
        world
            .check(&format!(
                "
            pay tea-house L{prefix} $L 1.00 identity_code_type=QRcode -> SUCCESS payment_inst=ALIPAYHK
            clock PT1M
            "
            ))
            .await;
    }
    world.name(
        "short",
        &of_alice(&world, Span::seconds(0), CodeLength::Short),
    );
    world.name(
        "long",
        &of_alice(&world, Span::seconds(0), CodeLength::Long),
    );
    world
        .check(
            "
        pay tea-house L1 $long 1.00 -> SUCCESS
        pay tea-house L2 $short 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        books
        ",
        )
        .await;
}

// Goal: guessing the last digits locks the alias, for its good code and for every partner, for ten
// minutes; the wallet pays with another alias, and a repeat of a paid trade is still answered.
#[tokio::test]
async fn guessing_locks_the_alias() {
    let world = World::start().await;
    let paid = of_alice(&world, Span::seconds(0), CodeLength::Short);
    let good = of_alice(&world, Span::seconds(6), CodeLength::Short);
    world.name("paid", &paid);
    world.name("good", &good);
    world.check("pay tea-house G0 $paid 1.00 -> SUCCESS").await;
    // Bits of the docs: five wrong tries.
    for place in [13, 14, 15, 16, 17] {
        world.name("wrong", &mistyped(&good, place));
        world
            .check("pay tea-house G1 $wrong 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL")
            .await;
    }
    // Its first code of this slot counts as given, so the next one has another alias.
    world.check("code first alice").await;
    world
        .check(
            "
        pay tea-house G1 $good 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        pay dim-sum G1 $good 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        query tea-house G1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house G0 $paid 1.00 -> SUCCESS
        pay tea-house G2 alice 1.00 -> SUCCESS
        pay tea-house G3 bob 1.00 -> SUCCESS
        clock PT9M54S
        ",
        )
        .await;
    world.name(
        "good",
        &of_alice(&world, Span::seconds(0), CodeLength::Short),
    );
    world
        .check(
            "
        pay tea-house G4 $good 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        clock PT6S
        pay tea-house G4 $good 1.00 -> SUCCESS
        books
        ",
        )
        .await;
}

// Goal: a partner that tries unknown aliases runs into its own limit, with good codes too, for a
// minute; another partner's is untouched.
#[tokio::test]
async fn guessing_stops_the_partner() {
    let world = World::start().await;
    world.check("code A alice").await;
    let till = world.till("tea-house").await;
    for number in 0..120 {
        let code = format!("25{:09}1234567", 900_000_000 + number);
        let answer = till.ask(&world, &till.pay("Z1", &code, "1.00")).await;
        assert_eq!(answer.outcome(), "FAILED:SOUNDWAVE_PARSER_FAIL");
    }
    world
        .check(
            "
        pay tea-house Z1 $A 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        pay tea-house Z1 bob 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        query tea-house Z1 -> FAIL:TRADE_NOT_EXIST
        pay dim-sum Z1 alice 1.00 -> SUCCESS
        pay duty-free Z1 bob 1.00 -> SUCCESS
        clock PT59S
        pay tea-house Z1 alice 1.00 -> FAILED:SOUNDWAVE_PARSER_FAIL
        clock PT1S
        pay tea-house Z1 $A 1.00 -> SUCCESS
        books
        ",
        )
        .await;
}
