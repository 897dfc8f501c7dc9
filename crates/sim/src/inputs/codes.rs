//! Payment codes.

use spotpay_core::payment_code::{
    Alias, CodeLength, CodeSecret, LIFETIME, PaymentCode, SLOT, slot_at,
};
use spotpay_core::time::{Span, Timestamp};

/// As text, the bytes are a code or refused, and a code reads back the same. As alias, secret and
/// instant they make a code that is good in its window, not outside of it, and not once a digit is
/// another.
///
/// # Panics
/// When one of these is not so.
pub fn payment_code(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(code) = text.parse::<PaymentCode>() {
        assert_eq!(code.as_str(), text);
        assert_eq!(code.as_str().parse().as_ref(), Ok(&code));
        let noon = Timestamp::from_seconds(1_795_406_400);
        let checked = code.check(&CodeSecret::new([7; CodeSecret::BYTES]), noon);
        assert_eq!(
            checked.ok().map(|used| used.alias),
            code.alias().filter(|_| checked.is_ok())
        );
    }
    let Some((secret, rest)) = data.split_first_chunk::<{ CodeSecret::BYTES }>() else {
        return;
    };
    let Some((numbers, changes)) = rest.split_first_chunk::<8>() else {
        return;
    };
    let number = u64::from_le_bytes(*numbers);
    let alias = u32::try_from(number % u64::from(Alias::COUNT)).ok();
    let Some(alias) = alias.and_then(Alias::from_number) else {
        unreachable!("below the count")
    };
    // Two hundred years from 1970 on, to the microsecond.
    let micros = i64::try_from(number % 6_311_000_000_000_000).unwrap_or(0);
    let at = Timestamp::from_micros(micros);
    for length in [CodeLength::Short, CodeLength::Long] {
        made(alias, &CodeSecret::new(*secret), at, length, changes);
    }
}

fn made(alias: Alias, secret: &CodeSecret, at: Timestamp, length: CodeLength, changes: &[u8]) {
    let code = PaymentCode::make(alias, secret, at, length);
    assert_eq!(code.as_str().parse().as_ref(), Ok(&code));
    assert_eq!(code.alias(), Some(alias));
    for age in [Span::seconds(0), LIFETIME] {
        let Ok(used) = code.check(secret, at.plus(age)) else {
            panic!("a code is good for {LIFETIME:?}")
        };
        assert_eq!((used.alias, used.slot), (alias, slot_at(at)));
        assert!(used.expires_at().since(at) > LIFETIME);
    }
    let over = at.plus(LIFETIME).plus(SLOT);
    assert!(code.check(secret, over).is_err(), "out of time");

    let mut digits = code.as_str().as_bytes().to_vec();
    for pair in changes.chunks_exact(2) {
        let [place, digit] = pair else { continue };
        let place = usize::from(*place) % digits.len();
        if let Some(old) = digits.get_mut(place) {
            *old = b'0' + digit % 10;
        }
    }
    let Ok(changed) = String::from_utf8_lossy(&digits).parse::<PaymentCode>() else {
        return;
    };
    // Who changes the slot as well may hit a code of the device by chance, one time in a million:
    // then it is the code of that slot and no other.
    if let Ok(used) = changed.check(secret, at) {
        let instant = Timestamp::from_micros(used.slot * SLOT.as_micros());
        assert_eq!(
            PaymentCode::make(used.alias, secret, instant, length),
            changed
        );
        let same_slot = used.slot == slot_at(at) && used.alias == alias;
        assert_eq!(same_slot, changed == code, "one code in a slot");
    }
}
