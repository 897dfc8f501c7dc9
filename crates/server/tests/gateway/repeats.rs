//! A pay under an id that is known already: the present state, and never a second debit.

use tokio::task::JoinSet;

use crate::till::Params;
use crate::world::World;

// Goal: the table of `spec/02`: the same request again, in every state, with the trade's own code
// and with a fresh one, also when its code is out of time.
#[tokio::test]
async fn the_same_request_in_every_state() {
    let world = World::start().await;
    world
        .check(
            "
        # Never created: decided afresh each time.
        pay tea-house N1 poor 5.00 -> FAILED:BUYER_BALANCE_NOT_ENOUGH
        pay tea-house N1 poor 5.00 -> FAILED:BUYER_BALANCE_NOT_ENOUGH
        query tea-house N1 -> FAIL:TRADE_NOT_EXIST
        pay tea-house N1 alice 5.00 -> SUCCESS

        # Paid.
        code P alice
        pay tea-house P1 $P 10.00 -> SUCCESS alipay_pay_time=20261123120000
        clock PT1M
        pay tea-house P1 $P 10.00 -> SUCCESS alipay_pay_time=20261123120000 trans_amount=10.00 payment_inst=ALIPAYHK
        pay tea-house P1 alice 10.00 -> SUCCESS alipay_pay_time=20261123120000
        clock PT10M
        pay tea-house P1 $P 10.00 -> SUCCESS alipay_pay_time=20261123120000
        query tea-house P1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS
        wallet alice -> 200 balance=99985.00

        # A title, a note or another till is no other content.
        pay tea-house P1 $P 10 trans_name=`More tea` memo=again trans_create_time=20261123130000 -> SUCCESS

        # Waiting.
        code W careful
        pay tea-house W1 $W 10.00 -> UNKNOW
        pay tea-house W1 $W 10.00 -> UNKNOW alipay_trans_id=$tea-house/W1 !error !payment_inst
        pay tea-house W1 careful 10.00 -> UNKNOW alipay_trans_id=$tea-house/W1
        query tea-house W1 -> SUCCESS alipay_trans_status=WAIT_BUYER_PAY
        confirm careful W1 yes -> 200
        pay tea-house W1 $W 10.00 -> SUCCESS alipay_trans_id=$tea-house/W1 payment_inst=ALIPAYHK
        wallet careful -> 200 balance=99990.00

        # Closed: declined, by the timer, cancelled after payment.
        code D careful
        pay tea-house D1 $D 10.00 -> UNKNOW
        confirm careful D1 no -> 200
        pay tea-house D1 $D 10.00 -> FAILED:TRADE_HAS_CLOSE alipay_trans_id=$tea-house/D1
        pay tea-house D1 careful 10.00 -> FAILED:TRADE_HAS_CLOSE
        code E careful
        pay tea-house E1 $E 10.00 -> UNKNOW
        clock PT3M
        pay tea-house E1 $E 10.00 -> FAILED:TRADE_HAS_CLOSE alipay_trans_id=$tea-house/E1
        query tea-house E1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        cancel tea-house P1 -> SUCCESS action=refund
        pay tea-house P1 $P 10.00 -> FAILED:TRADE_HAS_CLOSE alipay_trans_id=$tea-house/P1
        pay tea-house P1 alice 10.00 -> FAILED:TRADE_HAS_CLOSE
        query tea-house P1 -> SUCCESS alipay_trans_status=TRADE_CLOSED
        wallet alice -> 200 balance=99995.00
        wallet careful -> 200 balance=99990.00
        books
        ",
        )
        .await;
}

// Goal: other content, or another buyer, under the id of a trade has its own refusal, while it
// waits and when it is paid, and changes nothing (`spec/13`, 2).
#[tokio::test]
async fn other_content_and_other_buyers() {
    let world = World::start().await;
    for (id, wallet, first) in [("X1", "alice", "SUCCESS"), ("X2", "careful", "UNKNOW")] {
        let script = r#"
        code C WALLET
        pay tea-house ID $C 10.00 -> FIRST
        pay tea-house ID $C 10.01 -> FAILED:CONTEXT_INCONSISTENT alipay_trans_id=$tea-house/ID
        pay tea-house ID WALLET 10.01 -> FAILED:CONTEXT_INCONSISTENT
        pay tea-house ID $C 10.00 currency=USD -> FAILED:CONTEXT_INCONSISTENT
        pay tea-house ID $C 10.00 extend_info={"secondary_merchant_id":"M002","secondary_merchant_name":"Two","secondary_merchant_industry":"5812","store_id":"S001"} -> FAILED:CONTEXT_INCONSISTENT
        pay tea-house ID $C 10.00 extend_info={"secondary_merchant_id":"M001","secondary_merchant_name":"Two","secondary_merchant_industry":"5812","store_id":"S002"} -> FAILED:CONTEXT_INCONSISTENT
        pay tea-house ID bob 10.00 -> FAILED:TRADE_BUYER_NOT_MATCH alipay_trans_id=$tea-house/ID
        pay tea-house ID poor 10.00 -> FAILED:TRADE_BUYER_NOT_MATCH
        # Content is compared first.
        pay tea-house ID bob 10.01 -> FAILED:CONTEXT_INCONSISTENT
        # The default store by name is the same store.
        pay tea-house ID $C 10.00 extend_info={"secondary_merchant_id":"M001","store_id":"S001"} -> FIRST
        pay tea-house ID $C 10.00 -> FIRST
        # Another partner's id is another trade.
        pay dim-sum ID alice 10.00 -> SUCCESS
        "#;
        let script = script.replace("ID", id);
        world
            .check(&script.replace("WALLET", wallet).replace("FIRST", first))
            .await;
    }
    world
        .check(
            "
        wallet alice -> 200 balance=99970.00
        wallet bob -> 200 balance=100000.00
        wallet careful -> 200 balance=100000.00
        books
        ",
        )
        .await;
}

// Goal: a repeat is about the trade that exists, whatever has become of the contract, the wallet and
// the purse since then; a fresh id meets the new terms.
#[tokio::test]
async fn a_repeat_does_not_meet_new_terms() {
    let world = World::start().await;
    world
        .check(
            r#"
        code P bob
        pay tea-house T1 $P 50.00 -> SUCCESS payment_inst=ALIPAYCN
        code W careful
        pay tea-house W1 $W 50.00 -> UNKNOW
        patch wallets bob {"frozen":true}
        patch partners tea-house {"wallets":["ALIPAYHK"],"store_data":"required","limit_product":"1.00","limit_per_day":"1.00"}
        pay tea-house T1 $P 50.00 -> SUCCESS payment_inst=ALIPAYCN alipay_trans_id=$tea-house/T1
        pay tea-house T1 bob 50.00 -> SUCCESS
        pay tea-house W1 $W 50.00 -> UNKNOW alipay_trans_id=$tea-house/W1
        pay tea-house T2 bob 50.00 -> FAILED:NOT_SUPPORT_PAYMENT_INST
        pay tea-house T2 alice 50.00 -> FAILED:PAYMENT_REQUEST_HAS_RISK
        query tea-house T1 -> SUCCESS alipay_trans_status=TRADE_SUCCESS payment_inst=ALIPAYCN
        cancel tea-house T1 -> SUCCESS action=refund
        wallet bob -> 200 balance=100000.00
        cancel tea-house W1 -> SUCCESS action=close
        books
        "#,
        )
        .await;
}

// Goal: an id is compared letter by letter: case, width and a dot make another trade.
#[tokio::test]
async fn ids_are_compared_letter_by_letter() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    let ids = ["a1", "A1", "Ａ1", "a1.", "á1", "a\u{301}1", "茶1", "😀1"];
    for id in ids {
        let code = world.code("alice").await;
        let answer = till.ask(&world, &till.pay(id, &code, "1.00")).await;
        assert_eq!(answer.outcome(), "SUCCESS", "{id}");
        assert_eq!(answer.field("partner_trans_id"), id);
    }
    assert_eq!(world.balance("alice").await, "99992.00");
}

// Goal: sixty-four identical requests at once make one trade and one debit, and all hear the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_at_once() {
    let world = World::start().await;
    let till = world.till("tea-house").await;
    for (wallet, outcome, balance) in [
        ("alice", "SUCCESS", "99960.70"),
        ("careful", "UNKNOW", "100000.00"),
    ] {
        let code = world.code(wallet).await;
        let params: Params = till.pay(&format!("once-{wallet}"), &code, "39.30");
        let mut asking = JoinSet::new();
        for _ in 0..64 {
            let (till, router, params) = (till.clone(), world.router.clone(), params.clone());
            asking.spawn(async move { till.ask_with(router, params, "").await });
        }
        let answers = asking.join_all().await;
        assert_eq!(answers.len(), 64);
        let first = answers.first().unwrap();
        assert_eq!(first.outcome(), outcome);
        assert!(answers.iter().all(|answer| answer == first));
        assert_eq!(world.balance(wallet).await, balance);
        let shown = world.does("GET", &format!("/wallets/{wallet}"), "").await;
        assert_eq!(shown["trades"].as_array().unwrap().len(), 1);
    }
    world.books().await;
}
