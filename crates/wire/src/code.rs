//! The published codes (`spec/10`): one code, one meaning, for ever.

/// Where a code can appear.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// `is_success=F`.
    Gateway,
    /// Pay.
    Pay,
    /// Query.
    Query,
    /// Cancel.
    Cancel,
    /// Refund.
    Refund,
    /// Refund query.
    RefundQuery,
    /// Registration of stores.
    Store,
    /// Other products of the same gateway.
    Other,
}

/// What a caller may do about a code without asking anybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Retry {
    /// The same request would be refused again.
    Never,
    /// Send the same request again.
    SameRequest,
    /// It is not known whether it worked, or the state is not what the caller thinks: query.
    QueryFirst,
}

/// A code, what it means and what to do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WireCode {
    /// As it stands in `error` and `detail_error_code`.
    pub code: &'static str,
    /// Where it can appear.
    pub places: &'static [Place],
    /// What the caller may do.
    pub retry: Retry,
    /// In words; fits `detail_error_des` of 48 characters.
    pub meaning: &'static str,
}

/// The code of a text, with the prefix of the open-platform generation taken off (`spec/10`).
pub fn find(code: &str) -> Option<&'static WireCode> {
    let code = without_prefix(code);
    let index = ALL.binary_search_by_key(&code, |known| known.code).ok()?;
    ALL.get(index)
}

/// `ACQ.` and `aop.ACQ.` mean nothing; the name behind them does.
pub fn without_prefix(code: &str) -> &str {
    let code = code.strip_prefix("aop.").unwrap_or(code);
    code.strip_prefix("ACQ.").unwrap_or(code)
}

macro_rules! codes {
    ($($name:ident [$($place:ident)*] $retry:ident $meaning:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`: ", $meaning, ".")]
            pub const $name: WireCode = WireCode {
                code: stringify!($name),
                places: &[$(Place::$place,)*],
                retry: Retry::$retry,
                meaning: $meaning,
            };
        )*

        /// Every code, ascending by name.
        pub const ALL: &[WireCode] = &[$($name,)*];
    };
}

codes! {
    ACCESS_FORBIDDEN [Pay Query Cancel Refund RefundQuery] Never "the product is not contracted";
    ANTI_PHISHING_KEY_TIMEOUT [Gateway Other] Never "the anti-phishing key has expired";
    BEYOND_PAY_RESTRICTION [Pay] Never "the partner's limit of the day is passed";
    BEYOND_PER_RECEIPT_RESTRICTION [Pay] Never "above the limit of one payment";
    BUYER_BALANCE_NOT_ENOUGH [Pay] Never "the wallet's balance is too low";
    BUYER_BANKCARD_BALANCE_NOT_ENOUGH [Pay] Never "the card's balance is too low";
    BUYER_ENABLE_STATUS_FORBID [Pay] Never "the wallet is not allowed to pay";
    BUYER_NOT_EXIST [Pay] Never "the buyer is unknown";
    BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR [Pay] Never "the wallet's limit of the day is passed";
    BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR [Pay] Never "the wallet's limit of the month is passed";
    BUYER_SELLER_EQUAL [Pay] Never "the buyer is the seller";
    CLIENT_VERSION_NOT_MATCH [Pay] Never "the wallet app is too old";
    CONTEXT_INCONSISTENT [Pay] Never "the same id came with other trade data";
    CURRENCY_NOT_SAME [Refund Other] Never "not the currency of the payment";
    DATA_NOT_EXIST [Store] Never "there is no such store";
    DISCORDANT_REPEAT_REQUEST [Refund Cancel] Never "the same id came with other data";
    ERROR_BALANCE_PAYMENT_DISABLE [Pay] Never "paying from the balance is switched off";
    ERROR_BUYER_CERTIFY_LEVEL_LIMIT [Pay] Never "the buyer must prove their identity first";
    ERROR_SELLER_CERTIFY_LEVEL_LIMIT [Pay] Never "the seller must prove its identity first";
    EXCHANGE_AMOUNT_OR_CURRENCY_ERROR [Pay] Never "amount or currency cannot be converted";
    EXIST_FORBIDDEN_WORD [Pay] Never "a text has a forbidden word";
    EXTERFACE_IS_CLOSED [Gateway] Never "the service is closed";
    HAS_NO_PRIVILEGE [Gateway] Never "no right to call";
    ILLEGAL_ACCESS_SWITCH_SYSTEM [Gateway] Never "the partner may not reach this system";
    ILLEGAL_AGENT [Gateway] Never "the agent id is wrong";
    ILLEGAL_ANTI_PHISHING_KEY [Gateway Other] Never "the anti-phishing key is wrong";
    ILLEGAL_ARGUMENT [Gateway Pay] Never "a parameter is missing or given twice";
    ILLEGAL_CHARSET [Gateway] Never "the charset is not UTF-8, GBK or GB2312";
    ILLEGAL_CLIENT_IP [Gateway] Never "the caller's address is not allowed";
    ILLEGAL_CURRENCY [Other] Never "the currency is wrong";
    ILLEGAL_DIGEST [Gateway Other] Never "the digest of the file is wrong";
    ILLEGAL_DIGEST_TYPE [Gateway Other] Never "the type of the digest is wrong";
    ILLEGAL_DYN_MD5_KEY [Gateway] Never "the dynamic key is wrong";
    ILLEGAL_ENCODING [Gateway Other] Never "the encoding of the file is wrong";
    ILLEGAL_ENCRYPT [Gateway] Never "the encryption is wrong";
    ILLEGAL_EXTERFACE [Gateway] Never "the service is not configured";
    ILLEGAL_EXTER_INVOKE_IP [Gateway Other] Never "the address of the buyer is wrong";
    ILLEGAL_FILE_FORMAT [Gateway Other] Never "the format of the file is wrong";
    ILLEGAL_PARTNER [Gateway] Never "the partner is unknown";
    ILLEGAL_PARTNER_EXTERFACE [Gateway] Never "the partner has no contract for the service";
    ILLEGAL_REQUEST_REFERER [Gateway Other] Never "the referring page is not allowed";
    ILLEGAL_SECURITY_PROFILE [Gateway] Never "no key of this sign_type is configured";
    ILLEGAL_SERVICE [Gateway] Never "there is no such service";
    ILLEGAL_SIGN [Gateway] Never "the signature does not verify";
    ILLEGAL_SIGN_TYPE [Gateway] Never "sign_type is not MD5, RSA or RSA2";
    ILLEGAL_TARGET_SERVICE [Gateway] SameRequest "the target service is wrong";
    ILLEGAL_TIMEOUT_RULE [Other] Never "timeout_rule is wrong";
    ILLEGAL_USER [Gateway] Never "the user id is wrong";
    INVALID_CHARACTER_SET [Gateway] Never "the charset is not valid";
    INVALID_PARAMETER [Pay Query Cancel Refund RefundQuery] Never "a parameter is malformed";
    INVALID_STORE_ID [Pay] Never "the store is not registered";
    MERCHANT_BALANCE_NOT_ENOUGH [Refund RefundQuery] Never "the merchant's funds are too low";
    MOBILE_PAYMENT_SWITCH_OFF [Pay] Never "mobile payment is switched off";
    NOT_FOUND [RefundQuery] Never "there is no such refund";
    NOT_SUPPORT_PAYMENT_INST [Pay] Never "this kind of wallet is not accepted here";
    NO_PAYMENT_INSTRUMENTS_AVAILABLE [Pay] Never "the wallet has nothing to pay with";
    PARAM_ILLEGAL [Store] Never "a parameter is missing or malformed";
    PARTNER_ERROR [Pay] Never "the partner is wrong";
    PAYMENT_FAIL [Pay] Never "the payment failed";
    PAYMENT_REQUEST_HAS_RISK [Pay] Never "risk control stopped the payment";
    PRODUCT_AMOUNT_LIMIT_ERROR [Pay] Never "the product's limit is passed";
    PULL_MOBILE_CASHIER_FAIL [Pay] Never "the wallet could not be asked to confirm";
    PURCHASE_TRADE_NOT_EXIST [Refund Other] Never "there is no such payment";
    QUERY_FAILED [RefundQuery] SameRequest "the query failed";
    REASON_ILLEGAL_STATUS [Pay Refund] QueryFirst "the state does not allow this";
    REASON_TRADE_BEEN_FREEZEN [Cancel Refund] Never "the trade is frozen";
    REASON_TRADE_REFUND_FEE_ERR [Refund] Never "the amount of the refund is not valid";
    REFUNDMENT_VALID_DATE_EXCEED [Refund] Never "the time for refunds is over";
    REFUND_AMT_NOT_EQUAL_TOTAL [Refund Cancel] Never "above what is left of the payment";
    REFUND_AMT_RESTRICTION [Refund] Never "above the limit of one refund";
    REFUND_FEE_ERROR [Refund] Never "the amount of the refund is wrong";
    REPEATED_REFUNDMENT_REQUEST [Refund Other] QueryFirst "the refund id is used already";
    RETURN_AMOUNT_EXCEED [Refund Other] Never "the refund is above the payment";
    SELLER_BALANCE_NOT_ENOUGH [Cancel Refund] SameRequest "the seller's funds are too low";
    SELLER_BEEN_BLOCKED [Pay] Never "the seller is blocked";
    SELLER_NOT_EXIST [Pay] Never "the seller is unknown";
    SESSION_TIMEOUT [Gateway] SameRequest "the gateway timed out inside";
    SOUNDWAVE_PARSER_FAIL [Pay] Never "the code is wrong, expired or used";
    SUB_MERCHANT_CREATE_FAIL [Pay] Never "the secondary merchant cannot be made";
    SUB_MERCHANT_TYPE_INVALID [Pay] Never "the secondary merchant's type is wrong";
    SYSTEM_ERROR [Gateway Pay Query Cancel Refund] QueryFirst "the gateway could not answer";
    TOTAL_FEE_EXCEED [Pay] Never "above the largest amount";
    TRADE_BUYER_NOT_MATCH [Pay] Never "the same id came with another buyer";
    TRADE_CANCEL_TIME_OUT [Cancel] QueryFirst "the time for cancelling is over";
    TRADE_HAS_CLOSE [Pay Cancel] Never "the trade is closed";
    TRADE_HAS_FINISHED [Cancel Refund] Never "the trade is finished";
    TRADE_HAS_SUCCESS [Pay] QueryFirst "the trade is paid already";
    TRADE_NOT_ALLOW_REFUND [Refund] Never "the trade may not be refunded";
    TRADE_NOT_EXIST [Query Cancel Refund RefundQuery] Never "there is no such trade";
    TRADE_ROLE_ERROR [Cancel Refund] Never "the caller is not a party of the trade";
    TRADE_SETTLE_ERROR [Pay] Never "the data for splitting is wrong";
    TRADE_STATUS_ERROR [Pay Cancel Refund] QueryFirst "the trade's state does not allow this";
    USER_FACE_PAYMENT_SWITCH_OFF [Pay] Never "in-store payment is switched off";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of `spec/10` in its order.
    const SPEC: &str =
        "SYSTEM_ERROR ILLEGAL_SIGN INVALID_PARAMETER ILLEGAL_ARGUMENT ILLEGAL_PARTNER
        ILLEGAL_EXTERFACE ILLEGAL_PARTNER_EXTERFACE ILLEGAL_SIGN_TYPE HAS_NO_PRIVILEGE
        TRADE_BUYER_NOT_MATCH TRADE_HAS_CLOSE TRADE_CANCEL_TIME_OUT TRADE_STATUS_ERROR
        EXIST_FORBIDDEN_WORD SELLER_NOT_EXIST BUYER_NOT_EXIST BUYER_ENABLE_STATUS_FORBID
        BUYER_SELLER_EQUAL CLIENT_VERSION_NOT_MATCH SOUNDWAVE_PARSER_FAIL CONTEXT_INCONSISTENT
        PRODUCT_AMOUNT_LIMIT_ERROR BUYER_BALANCE_NOT_ENOUGH TOTAL_FEE_EXCEED
        BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR
        ERROR_BUYER_CERTIFY_LEVEL_LIMIT ERROR_SELLER_CERTIFY_LEVEL_LIMIT
        BUYER_BANKCARD_BALANCE_NOT_ENOUGH PAYMENT_FAIL MOBILE_PAYMENT_SWITCH_OFF
        USER_FACE_PAYMENT_SWITCH_OFF ERROR_BALANCE_PAYMENT_DISABLE
        EXCHANGE_AMOUNT_OR_CURRENCY_ERROR NOT_SUPPORT_PAYMENT_INST PULL_MOBILE_CASHIER_FAIL
        BEYOND_PAY_RESTRICTION BEYOND_PER_RECEIPT_RESTRICTION ACCESS_FORBIDDEN PARTNER_ERROR
        TRADE_HAS_SUCCESS TRADE_HAS_FINISHED PAYMENT_REQUEST_HAS_RISK
        NO_PAYMENT_INSTRUMENTS_AVAILABLE SELLER_BEEN_BLOCKED INVALID_STORE_ID
        SUB_MERCHANT_CREATE_FAIL SUB_MERCHANT_TYPE_INVALID TRADE_NOT_EXIST TRADE_SETTLE_ERROR
        SELLER_BALANCE_NOT_ENOUGH MERCHANT_BALANCE_NOT_ENOUGH REASON_TRADE_BEEN_FREEZEN
        REASON_TRADE_REFUND_FEE_ERR REASON_ILLEGAL_STATUS REFUND_AMT_NOT_EQUAL_TOTAL
        REFUND_AMT_RESTRICTION RETURN_AMOUNT_EXCEED CURRENCY_NOT_SAME DISCORDANT_REPEAT_REQUEST
        REPEATED_REFUNDMENT_REQUEST REFUNDMENT_VALID_DATE_EXCEED TRADE_NOT_ALLOW_REFUND
        REFUND_FEE_ERROR TRADE_ROLE_ERROR PURCHASE_TRADE_NOT_EXIST NOT_FOUND QUERY_FAILED
        PARAM_ILLEGAL ILLEGAL_SERVICE ILLEGAL_USER ILLEGAL_SECURITY_PROFILE ILLEGAL_AGENT
        ILLEGAL_CHARSET INVALID_CHARACTER_SET ILLEGAL_CLIENT_IP ILLEGAL_DYN_MD5_KEY
        ILLEGAL_ENCRYPT ILLEGAL_DIGEST_TYPE ILLEGAL_DIGEST ILLEGAL_FILE_FORMAT ILLEGAL_ENCODING
        ILLEGAL_REQUEST_REFERER ILLEGAL_ANTI_PHISHING_KEY ANTI_PHISHING_KEY_TIMEOUT
        ILLEGAL_EXTER_INVOKE_IP ILLEGAL_CURRENCY ILLEGAL_TIMEOUT_RULE SESSION_TIMEOUT
        ILLEGAL_TARGET_SERVICE ILLEGAL_ACCESS_SWITCH_SYSTEM EXTERFACE_IS_CLOSED";

    /// The one that public copies cut off behind its first letters (`spec/11`, 20).
    const ADDED: &str = "DATA_NOT_EXIST";

    // Goal: the table is sorted for `find`, without doubles, and holds exactly the published codes
    // and the one addition.
    #[test]
    fn the_table_is_the_spec() {
        assert!(ALL.is_sorted_by(|left, right| left.code < right.code));
        let mut spec: Vec<&str> = SPEC.split_whitespace().chain([ADDED]).collect();
        spec.sort_unstable();
        let ours: Vec<&str> = ALL.iter().map(|code| code.code).collect();
        assert_eq!(ours, spec);
    }

    #[test]
    fn meanings_fit_their_field() {
        for code in ALL {
            assert!(
                code.meaning.len() <= 48 && !code.places.is_empty(),
                "{}",
                code.code
            );
        }
    }

    #[test]
    fn prefixes_are_read_over() {
        for text in [
            "TRADE_NOT_EXIST",
            "ACQ.TRADE_NOT_EXIST",
            "aop.ACQ.TRADE_NOT_EXIST",
        ] {
            assert_eq!(find(text), Some(&TRADE_NOT_EXIST));
        }
        assert_eq!(find("TRADE_NOT_EXISTS"), None);
    }
}
