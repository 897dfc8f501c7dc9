//! Columns: what each is called, and which stand where in a file.

macro_rules! lines {
    ($(#[$doc:meta] $name:ident = $($part:literal)*;)*) => {
        $(#[$doc] pub(super) const $name: &str = concat!($($part),*);)*
    };
}

lines! {
    /// Hong Kong in-store, 17 columns, the wallet as in the introduction.
    HK_TRANSACTION = "Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|Currency|"
        "Payment_time|Transaction_type|Remark|Secondary_merchant_industry|Secondary_merchant_name|"
        "Secondary_merchant_id|Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate|"
        "payment_inst";
    /// The same with the wallet as in its own page.
    HK_TRANSACTION_ISSUE = "Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|"
        "Currency|Payment_time|Transaction_type|Remark|Secondary_merchant_industry|"
        "Secondary_merchant_name|Secondary_merchant_id|Operator_name|Order_scene|Trans_currency|"
        "Trans_amount|Trans_forex_rate|Issue";
    /// Standard, 15 columns; so was the older Hong Kong file.
    STANDARD_TRANSACTION = "Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|"
        "Currency|Payment_time|Transaction_type|Remark|Secondary_merchant_industry|"
        "Secondary_merchant_name|Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate";
    /// Standard, with the three columns of the introduction.
    STANDARD_TRANSACTION_RMB = "Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|"
        "Currency|Payment_time|Transaction_type|Remark|Secondary_merchant_industry|"
        "Secondary_merchant_name|Operator_name|Order_scene|Trans_currency|Trans_amount|"
        "Trans_forex_rate|Rate|Rmb_amount|Rmb_settlement";
    /// The oldest, without store data.
    OLD_TRANSACTION = "Partner_transaction_id|Transaction_id|Transaction_amount|Charge_amount|Currency|"
        "Payment_time|Transaction_type|Remark";
    /// Hong Kong in-store, 20 columns.
    HK_SETTLEMENT = "Partner_transaction_id|Transaction_id|Amount|Fee|Settlement|Currency|Payment_time|"
        "Settlement_time|Type|Status|Remarks|Secondary_merchant_industry|Secondary_merchant_name|"
        "Secondary_merchant_id|Operator_name|Order_scene|Trans_currency|Trans_amount|Trans_forex_rate|"
        "payment_inst";
    /// The same with the wallet as in its own page.
    HK_SETTLEMENT_ISSUE = "Partner_transaction_id|Transaction_id|Amount|Fee|Settlement|Currency|"
        "Payment_time|Settlement_time|Type|Status|Remarks|Secondary_merchant_industry|"
        "Secondary_merchant_name|Secondary_merchant_id|Operator_name|Order_scene|Trans_currency|"
        "Trans_amount|Trans_forex_rate|Issue";
    /// Standard, 21 columns.
    STANDARD_SETTLEMENT = "Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Settlement|"
        "Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|Type|Status|Remarks|"
        "Secondary_merchant_industry|Secondary_merchant_name|Operator_name|Order_scene|Trans_currency|"
        "Trans_amount|Trans_forex_rate";
    /// The answer of `forex_compare_file` and `forex_liquidation_file`.
    HTTP = "Partner_transaction_id|Transaction_id|Amount|Rmb_amount|Fee|Distribute_amount|"
        "Distribute_rmb_amount|Settlement|Rmb_settlement|Currency|Rate|Payment_time|Settlement_time|"
        "Type|Status|Remarks";
    /// Online Hong Kong: `PID_fptrade_...csv` and `PID_settle_...csv`.
    ONLINE = "Partner_transaction_id,Transaction_id,Amount,Fee,Settlement,Currency,Payment_time,"
        "Settlement_time,Issue,Product,Type,Status,Remarks,original_partner_transaction_ID";
    /// Online Hong Kong: `PID_settlebatch_...csv`.
    SETTLE_BATCH = "Settle_batch_no,Settle_date,Amount,Fee,Settlement,Currency";
}

/// The layouts that are known by their number of columns when a file names none.
const KNOWN: [(char, &str); 9] = [
    ('|', HK_TRANSACTION),
    ('|', STANDARD_TRANSACTION),
    ('|', STANDARD_TRANSACTION_RMB),
    ('|', OLD_TRANSACTION),
    ('|', HK_SETTLEMENT),
    ('|', STANDARD_SETTLEMENT),
    ('|', HTTP),
    (',', ONLINE),
    (',', SETTLE_BATCH),
];

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Column {
    PartnerTransactionId,
    TransactionId,
    Amount,
    Fee,
    Settlement,
    Currency,
    PaymentTime,
    SettlementTime,
    Type,
    Status,
    Remark,
    Industry,
    MerchantName,
    MerchantId,
    OperatorName,
    OrderScene,
    TransCurrency,
    TransAmount,
    TransForexRate,
    Wallet,
    Rate,
    RmbAmount,
    RmbSettlement,
    OriginalId,
    BatchNo,
    /// Known, and nothing that anybody here asks for.
    Ignored,
}

/// Every name in lower case, those of the pages first, then those of an integrator's reader.
const NAMES: [(&str, Column); 37] = [
    ("partner_transaction_id", Column::PartnerTransactionId),
    ("transaction_id", Column::TransactionId),
    ("transaction_amount", Column::Amount),
    ("amount", Column::Amount),
    ("charge_amount", Column::Fee),
    ("fee", Column::Fee),
    ("settlement", Column::Settlement),
    ("currency", Column::Currency),
    ("payment_time", Column::PaymentTime),
    ("settlement_time", Column::SettlementTime),
    ("settle_date", Column::SettlementTime),
    ("transaction_type", Column::Type),
    ("type", Column::Type),
    ("status", Column::Status),
    ("remark", Column::Remark),
    ("remarks", Column::Remark),
    ("secondary_merchant_industry", Column::Industry),
    ("mcc", Column::Industry),
    ("secondary_merchant_name", Column::MerchantName),
    ("merchant", Column::MerchantName),
    ("secondary_merchant_id", Column::MerchantId),
    ("merchant_id", Column::MerchantId),
    ("operator_name", Column::OperatorName),
    ("order_scene", Column::OrderScene),
    ("product", Column::OrderScene),
    ("trans_currency", Column::TransCurrency),
    ("trans_amount", Column::TransAmount),
    ("trans_forex_rate", Column::TransForexRate),
    ("issue", Column::Wallet),
    ("payment_inst", Column::Wallet),
    ("rate", Column::Rate),
    ("rmb_amount", Column::RmbAmount),
    ("rmb_settlement", Column::RmbSettlement),
    ("original_partner_transaction_id", Column::OriginalId),
    ("settle_batch_no", Column::BatchNo),
    ("distribute_amount", Column::Ignored),
    ("distribute_rmb_amount", Column::Ignored),
];

/// So many cells with the name of a column make a line of names; no record has as many.
const NAMES_MIN: usize = 3;

/// What a file's rows are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// What took place on a day.
    Transactions,
    /// What was settled.
    Settlements,
    /// Either, row by row: the online and HTTP layouts are the same before and after settlement.
    Either,
    /// Settlement batches, one a row.
    Batches,
}

impl Contents {
    fn of(separator: char, places: &Places) -> Self {
        if places.batch_no.is_some() {
            Self::Batches
        } else if places.settlement.is_none() {
            Self::Transactions
        } else if separator == '|' && places.industry.is_some() {
            Self::Settlements
        } else {
            Self::Either
        }
    }
}

/// The columns of a file.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) separator: char,
    pub(super) contents: Contents,
    /// What each is called in the file, or in the pages when the file does not say.
    names: Vec<Box<str>>,
    /// Where each stands.
    pub(super) places: Places,
}

/// Where each column stands; looked up once, because every row asks for all of them.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) partner_transaction_id: Option<usize>,
    pub(super) transaction_id: Option<usize>,
    pub(super) amount: Option<usize>,
    pub(super) fee: Option<usize>,
    pub(super) settlement: Option<usize>,
    pub(super) currency: Option<usize>,
    pub(super) payment_time: Option<usize>,
    pub(super) settlement_time: Option<usize>,
    pub(super) kind: Option<usize>,
    pub(super) status: Option<usize>,
    pub(super) remark: Option<usize>,
    pub(super) industry: Option<usize>,
    pub(super) merchant_name: Option<usize>,
    pub(super) merchant_id: Option<usize>,
    pub(super) operator_name: Option<usize>,
    pub(super) order_scene: Option<usize>,
    pub(super) trans_currency: Option<usize>,
    pub(super) trans_amount: Option<usize>,
    pub(super) trans_forex_rate: Option<usize>,
    pub(super) wallet: Option<usize>,
    pub(super) rate: Option<usize>,
    pub(super) rmb_amount: Option<usize>,
    pub(super) rmb_settlement: Option<usize>,
    pub(super) original_id: Option<usize>,
    pub(super) batch_no: Option<usize>,
}

impl Places {
    /// Of two columns with one meaning the first counts.
    fn of(columns: &[Option<Column>]) -> Self {
        let place = |wanted| columns.iter().position(|found| *found == Some(wanted));
        Self {
            partner_transaction_id: place(Column::PartnerTransactionId),
            transaction_id: place(Column::TransactionId),
            amount: place(Column::Amount),
            fee: place(Column::Fee),
            settlement: place(Column::Settlement),
            currency: place(Column::Currency),
            payment_time: place(Column::PaymentTime),
            settlement_time: place(Column::SettlementTime),
            kind: place(Column::Type),
            status: place(Column::Status),
            remark: place(Column::Remark),
            industry: place(Column::Industry),
            merchant_name: place(Column::MerchantName),
            merchant_id: place(Column::MerchantId),
            operator_name: place(Column::OperatorName),
            order_scene: place(Column::OrderScene),
            trans_currency: place(Column::TransCurrency),
            trans_amount: place(Column::TransAmount),
            trans_forex_rate: place(Column::TransForexRate),
            wallet: place(Column::Wallet),
            rate: place(Column::Rate),
            rmb_amount: place(Column::RmbAmount),
            rmb_settlement: place(Column::RmbSettlement),
            original_id: place(Column::OriginalId),
            batch_no: place(Column::BatchNo),
        }
    }

    /// The first column that every row must have and that the file does not.
    pub(super) fn lacks(&self, contents: Contents) -> Option<&'static str> {
        let numbered = match contents {
            Contents::Batches => self.batch_no,
            Contents::Transactions | Contents::Settlements | Contents::Either => {
                self.partner_transaction_id.or(self.transaction_id)
            }
        };
        let kind = match contents {
            Contents::Batches => Some(0),
            Contents::Transactions | Contents::Settlements | Contents::Either => self.kind,
        };
        let needed = [
            ("Partner_transaction_id", numbered),
            ("Amount", self.amount),
            ("Currency", self.currency),
            ("Type", kind),
        ];
        let mut needed = needed.into_iter();
        needed.find_map(|(name, place)| place.is_none().then_some(name))
    }
}

impl Columns {
    /// The separator of a line: the pipe where there is one.
    pub(super) fn separator(line: &str) -> char {
        if line.contains('|') { '|' } else { ',' }
    }

    /// The columns that a line names; `None` when it is no line of names.
    pub(super) fn named(separator: char, cells: &[&str]) -> Option<Self> {
        let columns: Vec<Option<Column>> = cells.iter().map(|cell| find(cell)).collect();
        if columns.iter().flatten().count() < NAMES_MIN {
            return None;
        }
        let places = Places::of(&columns);
        Some(Self {
            separator,
            contents: Contents::of(separator, &places),
            names: cells.iter().map(|cell| Box::from(*cell)).collect(),
            places,
        })
    }

    /// The columns of a line that names none, by how many there are.
    pub(super) fn counted(separator: char, count: usize) -> Option<Self> {
        let (_, line) = KNOWN
            .iter()
            .find(|(known, line)| *known == separator && line.split(*known).count() == count)?;
        Self::named(separator, &line.split(separator).collect::<Vec<_>>())
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.names.len()
    }

    /// What the column of a place is called.
    pub(super) fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or("", AsRef::as_ref)
    }
}

/// The column of a name; case, and blanks for underlines, do not matter.
fn find(name: &str) -> Option<Column> {
    let same = |known: &str| {
        known.len() == name.len()
            && known.bytes().zip(name.bytes()).all(|(known, byte)| {
                known == byte.to_ascii_lowercase() || (known == b'_' && byte == b' ')
            })
    };
    NAMES
        .iter()
        .find_map(|(known, column)| same(known).then_some(*column))
}
