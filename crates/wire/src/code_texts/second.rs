//! The texts of the codes from M to Z.

use super::{CodeText, Texts};

texts! {
    MERCHANT_BALANCE_NOT_ENOUGH
        means "The merchant's funds are too low for this refund."
            "商戶的資金不足以支付這筆退款。"
            "商户的资金不足以支付这笔退款。"
        do "Wait for more sales or add funds; an asynchronous refund is tried again every night, a synchronous one must be sent again."
            "請等待新的收款或補充資金；非同步退款會每晚自動重試，同步退款則須重新提出。"
            "请等待新的收款或补充资金；异步退款会每晚自动重试，同步退款则须重新提出。";
    MOBILE_PAYMENT_SWITCH_OFF
        means "The buyer has switched off mobile payment."
            "顧客已關閉流動付款功能。"
            "顾客已关闭移动支付功能。"
        do "Ask the buyer to switch on mobile payment in the wallet app, or to pay in another way."
            "請顧客在錢包應用程式內開啟流動付款，或改用其他付款方式。"
            "请顾客在钱包应用内开启移动支付，或改用其他付款方式。";
    NOT_FOUND
        means "There is no such refund."
            "沒有這筆退款的記錄。"
            "没有这笔退款的记录。"
        do "Check the refund id; if it is right, the refund never arrived and may be sent with the same id."
            "請核對退款編號；如編號無誤，即退款請求從未送達，可用相同編號重發。"
            "请核对退款编号；如编号无误，即退款请求从未送达，可用相同编号重发。";
    NOT_SUPPORT_PAYMENT_INST
        means "This kind of wallet is not accepted here."
            "此處不接受這類錢包。"
            "此处不接受这类钱包。"
        do "Ask the buyer to use a wallet that the shop accepts, or to pay in another way."
            "請顧客使用商戶接受的錢包，或改用其他付款方式。"
            "请顾客使用商户接受的钱包，或改用其他付款方式。";
    NO_PAYMENT_INSTRUMENTS_AVAILABLE
        means "The buyer's wallet has nothing that it could pay with."
            "顧客的錢包內沒有可用的付款工具。"
            "顾客的钱包内没有可用的付款工具。"
        do "Ask the buyer to add a card or top up the wallet, or to pay in another way."
            "請顧客加入銀行卡或為錢包增值，或改用其他付款方式。"
            "请顾客加入银行卡或为钱包充值，或改用其他付款方式。";
    PARAM_ILLEGAL
        means "A parameter is missing, too long or malformed."
            "參數缺漏、過長或格式不正確。"
            "参数缺漏、过长或格式不正确。"
        do "Correct the parameter that the answer names and send the request again."
            "請修正回應所指的參數，然後重新發送請求。"
            "请修正回应所指的参数，然后重新发送请求。";
    PARTNER_ERROR
        means "The partner of the request is wrong."
            "請求中的合作夥伴不正確。"
            "请求中的合作伙伴不正确。"
        do "Check the partner id and that it is allowed to receive payments."
            "請核對 partner 編號，並確認它可以收款。"
            "请核对 partner 编号，并确认它可以收款。";
    PAYMENT_FAIL
        means "The payment failed, and no money was taken."
            "付款失敗，未有扣款。"
            "付款失败，未有扣款。"
        do "Ask the buyer to try again with a fresh payment code or to pay in another way."
            "請顧客以新的付款碼再試，或改用其他付款方式。"
            "请顾客以新的付款码再试，或改用其他付款方式。";
    PAYMENT_REQUEST_HAS_RISK
        means "Risk control stopped the payment."
            "付款被風險控制攔截。"
            "付款被风险控制拦截。"
        do "Take another means of payment; if it happens often, check the store data in the request and ask the wallet operator."
            "請改用其他付款方式；如經常出現，請檢查請求中的分店資料，並向錢包營運商查詢。"
            "请改用其他付款方式；如经常出现，请检查请求中的门店信息，并向钱包运营商查询。";
    PRODUCT_AMOUNT_LIMIT_ERROR
        means "The amount is above the limit of this product."
            "金額超出此產品的限額。"
            "金额超出此产品的限额。"
        do "Ask for a smaller amount or another means of payment."
            "請減少金額，或改用其他付款方式。"
            "请减少金额，或改用其他付款方式。";
    PULL_MOBILE_CASHIER_FAIL
        means "The wallet app could not be opened to ask the buyer for confirmation."
            "未能在顧客的錢包應用程式內開啟確認付款頁面。"
            "未能在顾客的钱包应用内开启确认付款页面。"
        do "Ask the buyer to refresh the payment code, and start a new payment under a new partner_trans_id."
            "請顧客更新付款碼，並以新的 partner_trans_id 重新付款。"
            "请顾客更新付款码，并以新的 partner_trans_id 重新付款。";
    PURCHASE_TRADE_NOT_EXIST
        means "There is no such payment to refund."
            "找不到要退款的原付款。"
            "找不到要退款的原付款。"
        do "Check the partner_trans_id of the payment and the partner it was made under."
            "請核對原付款的 partner_trans_id 及其所屬的合作夥伴。"
            "请核对原付款的 partner_trans_id 及其所属的合作伙伴。";
    QUERY_FAILED
        means "The refund could not be looked up."
            "退款查詢失敗。"
            "退款查询失败。"
        do "Send the same query again."
            "請重新發送相同的查詢。"
            "请重新发送相同的查询。";
    REASON_ILLEGAL_STATUS
        means "The trade is in a state that does not allow this."
            "交易目前的狀態不允許此操作。"
            "交易目前的状态不允许此操作。"
        do "Query the trade and act on the state that it is in."
            "請查詢交易，然後按其現時狀態處理。"
            "请查询交易，然后按其当前状态处理。";
    REASON_TRADE_BEEN_FREEZEN
        means "The trade is frozen."
            "交易已被凍結。"
            "交易已被冻结。"
        do "Ask the wallet operator why it is frozen, and repeat the request when it is released."
            "請向錢包營運商查詢凍結原因，解凍後再重發請求。"
            "请向钱包运营商查询冻结原因，解冻后再重发请求。";
    REASON_TRADE_REFUND_FEE_ERR
        means "The amount of the refund is not valid."
            "退款金額無效。"
            "退款金额无效。"
        do "Send an amount above zero, with at most the decimals of the currency."
            "請使用大於零的金額，小數位數不可超出該貨幣的規定。"
            "请使用大于零的金额，小数位数不可超出该币种的规定。";
    REFUNDMENT_VALID_DATE_EXCEED
        means "The time in which the payment could be refunded is over."
            "原付款已超過可退款的期限。"
            "原付款已超过可退款的期限。"
        do "Give the money back in another way."
            "請以其他方式把款項退還顧客。"
            "请以其他方式把款项退还顾客。";
    REFUND_AMT_NOT_EQUAL_TOTAL
        means "The amount is above what is left of the payment, or nothing is left to refund."
            "金額超出原付款的可退餘額，或已沒有餘額可退。"
            "金额超出原付款的可退余额，或已没有余额可退。"
        do "Query the payment and refund at most what is left of it."
            "請查詢原付款，退款額不可超出其餘額。"
            "请查询原付款，退款额不可超出其余额。";
    REFUND_AMT_RESTRICTION
        means "The amount is above the limit of one refund."
            "金額超出單筆退款的限額。"
            "金额超出单笔退款的限额。"
        do "Send a smaller refund, or several under ids of their own."
            "請減少退款金額，或分多筆以不同的退款編號提出。"
            "请减少退款金额，或分多笔以不同的退款编号提出。";
    REFUND_FEE_ERROR
        means "The amount of the refund is wrong."
            "退款金額不正確。"
            "退款金额不正确。"
        do "Correct the amount and send the refund again."
            "請修正金額，然後重新提出退款。"
            "请修正金额，然后重新提出退款。";
    REPEATED_REFUNDMENT_REQUEST
        means "The refund id was used before."
            "此退款編號已被使用。"
            "此退款编号已被使用。"
        do "Query the refund; use a new id only if another refund is meant."
            "請先查詢該筆退款；只有另一筆退款才使用新的編號。"
            "请先查询该笔退款；只有另一笔退款才使用新的编号。";
    RETURN_AMOUNT_EXCEED
        means "The refund is above the payment."
            "退款金額超出原付款金額。"
            "退款金额超出原付款金额。"
        do "Correct the amount; all refunds together may not exceed the payment."
            "請修正金額；退款總額不可超出原付款金額。"
            "请修正金额；退款总额不可超出原付款金额。";
    SELLER_BALANCE_NOT_ENOUGH
        means "The seller's funds are too low to give the money back."
            "賣方的資金不足以退還款項。"
            "卖方的资金不足以退还款项。"
        do "Wait for more sales or add funds, then send the same request again."
            "請等待新的收款或補充資金，然後重發相同的請求。"
            "请等待新的收款或补充资金，然后重发相同的请求。";
    SELLER_BEEN_BLOCKED
        means "The seller is blocked and may not receive payments."
            "賣方已被停用，不可收款。"
            "卖方已被停用，不可收款。"
        do "Ask the wallet operator why, and take another means of payment meanwhile."
            "請向錢包營運商查詢原因，期間請改用其他付款方式。"
            "请向钱包运营商查询原因，期间请改用其他付款方式。";
    SELLER_NOT_EXIST
        means "The seller of the request is unknown."
            "找不到請求中的賣方。"
            "找不到请求中的卖方。"
        do "Check alipay_seller_id; it is the partner's own id."
            "請核對 alipay_seller_id；它應與合作夥伴自己的編號相同。"
            "请核对 alipay_seller_id；它应与合作伙伴自己的编号相同。";
    SESSION_TIMEOUT
        means "The gateway ran out of time inside."
            "閘道內部處理逾時。"
            "网关内部处理超时。"
        do "Send the same request again with the same ids."
            "請以相同的編號重發相同的請求。"
            "请以相同的编号重发相同的请求。";
    SOUNDWAVE_PARSER_FAIL
        means "The payment code cannot be used: it is wrong, expired or used already."
            "付款碼不能使用：可能不正確、已過期或已被使用。"
            "付款码不能使用：可能不正确、已过期或已被使用。"
        do "Ask the buyer to refresh the payment code and scan it again."
            "請顧客更新付款碼，然後重新掃描。"
            "请顾客更新付款码，然后重新扫描。";
    SUB_MERCHANT_CREATE_FAIL
        means "The secondary merchant could not be created."
            "未能建立二級商戶。"
            "未能建立二级商户。"
        do "Check the data of the secondary merchant and the store, and send it again."
            "請核對二級商戶及分店的資料，然後重新發送。"
            "请核对二级商户及门店的信息，然后重新发送。";
    SUB_MERCHANT_TYPE_INVALID
        means "The type of the secondary merchant is not valid."
            "二級商戶的類型無效。"
            "二级商户的类型无效。"
        do "Correct the type or industry of the secondary merchant and send it again."
            "請修正二級商戶的類型或行業，然後重新發送。"
            "请修正二级商户的类型或行业，然后重新发送。";
    SYSTEM_ERROR
        means "The gateway could not answer, and it is not certain whether the request had an effect."
            "閘道未能回應，請求是否已生效仍未確定。"
            "网关未能回应，请求是否已生效仍未确定。"
        do "After a payment, query it and cancel it if it is not paid; repeat every other request with the same parameters."
            "如屬付款，請先查詢，未付款則撤銷；其他請求請以相同的參數重發。"
            "如属付款，请先查询，未付款则撤销；其他请求请以相同的参数重发。";
    TOTAL_FEE_EXCEED
        means "The amount is above the largest amount that can be paid."
            "金額超出可付款的最高金額。"
            "金额超出可付款的最高金额。"
        do "Check the amount, and split the sale if it is right."
            "請核對金額；如金額無誤，請分開付款。"
            "请核对金额；如金额无误，请分开付款。";
    TRADE_BUYER_NOT_MATCH
        means "The same partner_trans_id came before with the code of another buyer."
            "同一個 partner_trans_id 曾用於另一位顧客的付款碼。"
            "同一个 partner_trans_id 曾用于另一位顾客的付款码。"
        do "Scan a code of the first buyer, or start a new payment under a new partner_trans_id."
            "請掃描原顧客的付款碼，或以新的 partner_trans_id 重新付款。"
            "请扫描原顾客的付款码，或以新的 partner_trans_id 重新付款。";
    TRADE_CANCEL_TIME_OUT
        means "The time in which the payment could be cancelled is over."
            "原付款已超過可撤銷的期限。"
            "原付款已超过可撤销的期限。"
        do "Query the payment, and refund it if it is paid."
            "請查詢該筆付款；如已付款，請改為退款。"
            "请查询该笔付款；如已付款，请改为退款。";
    TRADE_HAS_CLOSE
        means "The trade is closed; no money stays taken."
            "交易已關閉，不會保留任何扣款。"
            "交易已关闭，不会保留任何扣款。"
        do "Start a new payment under a new partner_trans_id if the buyer still wants to pay."
            "如顧客仍要付款，請以新的 partner_trans_id 重新付款。"
            "如顾客仍要付款，请以新的 partner_trans_id 重新付款。";
    TRADE_HAS_FINISHED
        means "The trade is finished, and nothing more can be done with it."
            "交易已完結，不可再作任何操作。"
            "交易已完结，不可再作任何操作。"
        do "Query the trade; if money must go back, give it back in another way."
            "請查詢交易；如須退款，請以其他方式退還。"
            "请查询交易；如须退款，请以其他方式退还。";
    TRADE_HAS_SUCCESS
        means "The trade is paid already."
            "交易已付款。"
            "交易已付款。"
        do "Query the trade and treat it as paid; do not ask the buyer to pay again."
            "請查詢交易並視為已付款；切勿要求顧客再次付款。"
            "请查询交易并视为已付款；请勿要求顾客再次付款。";
    TRADE_NOT_ALLOW_REFUND
        means "The trade may not be refunded."
            "此交易不允許退款。"
            "此交易不允许退款。"
        do "Ask the wallet operator, or give the money back in another way."
            "請聯絡錢包營運商，或以其他方式退還款項。"
            "请联系钱包运营商，或以其他方式退还款项。";
    TRADE_NOT_EXIST
        means "There is no such trade."
            "沒有這筆交易的記錄。"
            "没有这笔交易的记录。"
        do "Check the ids and the partner; a payment that is not found took no money."
            "請核對編號及合作夥伴；找不到的付款並沒有扣款。"
            "请核对编号及合作伙伴；找不到的付款并没有扣款。";
    TRADE_ROLE_ERROR
        means "The caller is not a party of the trade."
            "請求方並非此交易的當事人。"
            "请求方并非此交易的当事人。"
        do "Use the partner id under which the payment was made."
            "請使用原付款所屬的 partner 編號。"
            "请使用原付款所属的 partner 编号。";
    TRADE_SETTLE_ERROR
        means "The data for splitting the payment is wrong."
            "付款的分帳資料不正確。"
            "付款的分账信息不正确。"
        do "Correct the data for splitting and send the request again."
            "請修正分帳資料，然後重新發送請求。"
            "请修正分账信息，然后重新发送请求。";
    TRADE_STATUS_ERROR
        means "The state of the trade does not allow this."
            "交易的狀態不允許此操作。"
            "交易的状态不允许此操作。"
        do "Query the trade and act on the state that it is in."
            "請查詢交易，然後按其現時狀態處理。"
            "请查询交易，然后按其当前状态处理。";
    USER_FACE_PAYMENT_SWITCH_OFF
        means "The buyer has switched off payment in shops."
            "顧客已關閉店內付款功能。"
            "顾客已关闭店内付款功能。"
        do "Ask the buyer to switch on payment in shops in the wallet app, or to pay in another way."
            "請顧客在錢包應用程式內開啟店內付款，或改用其他付款方式。"
            "请顾客在钱包应用内开启店内付款，或改用其他付款方式。";
}
