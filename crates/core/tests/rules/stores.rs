//! Stores: registered, looked at, registered again.

use super::check;

// Goal: a store is verified as it comes, or when somebody said so; a repeat of what was verified
// stays verified, anything else is looked at again.
#[test]
fn registered_and_reviewed() {
    check(
        "
        partner instant HK
        partner manual  HK store_review=manual
        show     store instant kiosk                    -> nothing
        register instant kiosk                          -> verified kiosk at 12:00:00
        show     store instant kiosk                    -> verified kiosk at 12:00:00
        show     store manual kiosk                     -> nothing
        register manual kiosk                           -> processing kiosk at 12:00:00
        wait     1
        register manual kiosk                           -> processing kiosk at 12:00:01
        review   manual kiosk verified                  -> verified kiosk at 12:00:01
        wait     1
        register manual kiosk                           -> verified kiosk at 12:00:02
        register manual kiosk address=Nathan            -> processing kiosk at 12:00:02
        review   manual kiosk verified                  -> verified kiosk at 12:00:02
        register manual kiosk address=Nathan            -> verified kiosk at 12:00:02
        register manual kiosk address=Nathan name=Tea   -> processing kiosk at 12:00:02
        review   manual kiosk rejected                  -> rejected high-risk kiosk at 12:00:02
        wait     1
        register manual kiosk address=Nathan name=Tea   -> processing kiosk at 12:00:03
        review   manual kiosk rejected                  -> rejected high-risk kiosk at 12:00:03
        review   manual kiosk processing                -> processing kiosk at 12:00:03
        review   instant kiosk rejected                 -> rejected high-risk kiosk at 12:00:00
        register instant kiosk store_name=Stand         -> verified Stand at 12:00:03
        review   instant kiosk rejected
        partner  instant HK store_review=manual
        register instant kiosk store_name=Stand         -> processing Stand at 12:00:03
        partner  instant HK
        register instant kiosk store_name=Stand         -> verified Stand at 12:00:03
        review   manual  booth verified                 -> refused StoreUnknown
        review   stranger kiosk verified                -> refused StoreUnknown
        review   manual  kiosk verified merchant=M002   -> refused StoreUnknown
        register manual  kiosk merchant=M002            -> processing kiosk at 12:00:03
        show     store manual kiosk                     -> processing kiosk at 12:00:03
        review   manual  kiosk verified merchant=M002   -> verified kiosk at 12:00:03
        show     store manual kiosk                     -> processing kiosk at 12:00:03
        ",
    );
}

// Goal: refusals in the order of their declaration; a refused registration leaves what was there.
#[test]
fn store_refusals_in_order() {
    check(
        "
        partner  tea-house HK
        partner  louvre STANDARD USD
        register tea-house CAB1 industry=4121 drivers=D1,D2 based=HK     -> verified CAB1 at 12:00:00
        register stranger  CAB1 industry=4121 drivers=D3 country=FR      -> refused PartnerUnknown
        register tea-house CAB1 industry=4121 drivers=D3 country=FR      -> refused NotInHongKong
        register tea-house CAB1 industry=4121 drivers=D3 based=FR        -> refused NotInHongKong
        register tea-house CAB1 industry=4121 drivers=D3 based=HK        -> refused DriversDiffer
        register tea-house CAB1 industry=4121 drivers=D1                 -> refused DriversDiffer
        register tea-house CAB1 industry=4121 drivers=D1,D2,D3           -> refused DriversDiffer
        register tea-house CAB1 industry=4121                            -> refused DriversDiffer
        register tea-house CAB1 drivers=D1,D3 store_name=Cab             -> refused DriversDiffer
        show     store tea-house CAB1                                    -> verified CAB1 at 12:00:00
        register tea-house CAB1 industry=4121 drivers=D2,D1              -> verified CAB1 at 12:00:00
        register tea-house CAB2 industry=4121                            -> verified CAB2 at 12:00:00
        register tea-house CAB2 industry=4121 drivers=D1                 -> verified CAB2 at 12:00:00    # none were there to keep
        register tea-house CAB2 industry=4121 drivers=D2                 -> refused DriversDiffer
        register tea-house kiosk country=MO                              -> refused NotInHongKong
        show     store tea-house kiosk                                   -> nothing
        register louvre kiosk country=FR based=DE                        -> verified kiosk at 12:00:00
        register louvre kiosk country=HK                                 -> verified kiosk at 12:00:00
        review   tea-house main rejected                                 -> refused StoreUnknown
        register tea-house main
        review   tea-house main rejected                                 -> refused IsDefault
        review   tea-house main verified                                 -> refused IsDefault
        show     store tea-house main                                    -> verified main at 12:00:00
        ",
    );
}

// Goal: the store that the contract was signed with is never looked at, and its names are those of
// payments that name none.
#[test]
fn the_default_store() {
    check(
        "
        partner  tea-house HK store_review=manual
        partner  noodles   HK
        wallet   alice HK 100.00
        show     default tea-house                       -> main at 0.012
        register tea-house main                          -> verified main at 12:00:00
        show     default tea-house                       -> main at 0.012
        register tea-house main store_name=Annex country=FR -> refused NotInHongKong
        show     default tea-house                       -> main at 0.012
        register tea-house main store_name=Annex         -> verified Annex at 12:00:00
        show     default tea-house                       -> Annex at 0.012
        show     default noodles                         -> main at 0.012
        register tea-house main store_name=Side merchant=M002 -> processing Side at 12:00:00
        show     default tea-house                       -> Annex at 0.012
        register tea-house kiosk store_name=Kiosk        -> processing Kiosk at 12:00:00
        show     default tea-house                       -> Annex at 0.012
        register tea-house main                          -> verified main at 12:00:00
        show     default tea-house                       -> main at 0.012
        pay      tea-house T1 1.00 HKD alice             -> paid commission 0.01
        pay      tea-house T2 1.00 HKD alice shop=kiosk  -> paid commission 0.01
        ",
    );
}

// Goal: registrations of one batch see each other's stores.
#[test]
fn stores_in_batches() {
    check(
        "
        partner  tea-house HK store_review=manual
        batch
        register tea-house kiosk drivers=D1              -> processing kiosk at 12:00:00
        review   tea-house kiosk verified                -> verified kiosk at 12:00:00
        register tea-house kiosk drivers=D2              -> refused DriversDiffer
        register tea-house kiosk drivers=D1              -> verified kiosk at 12:00:00
        review   tea-house booth verified                -> refused StoreUnknown
        register tea-house booth
        review   tea-house booth rejected                -> rejected high-risk booth at 12:00:00
        end
        show     store tea-house kiosk                   -> verified kiosk at 12:00:00
        show     store tea-house booth                   -> rejected high-risk booth at 12:00:00
        ",
    );
}

// Goal: a registration of the default store changes its names and undoes no other change of its
// batch; of two the later one counts.
#[test]
fn the_default_store_and_other_terms_in_one_batch() {
    check(
        "
        partner  tea-house HK
        batch
        partner  tea-house HK rate=0.5
        register tea-house main store_name=Annex         -> verified Annex at 12:00:00
        end
        show     default tea-house                       -> Annex at 0.5
        batch
        register tea-house main store_name=Stand         -> verified Stand at 12:00:00
        register tea-house main store_name=Annex         -> verified Annex at 12:00:00
        end
        show     default tea-house                       -> Annex at 0.5
        show     store tea-house main                    -> verified Annex at 12:00:00
        ",
    );
}
