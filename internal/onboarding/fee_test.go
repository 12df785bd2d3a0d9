package onboarding_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/clustersystems/clusterbridge/internal/ledger"
	"github.com/clustersystems/clusterbridge/internal/mail"
	"github.com/clustersystems/clusterbridge/internal/onboarding"
	"github.com/clustersystems/clusterbridge/internal/sale"
	"github.com/clustersystems/clusterbridge/internal/words"
	"github.com/clustersystems/clusterbridge/internal/work"
)

// total is the fee of 150.00 with GST of 7.50 and QST of 14.96 (14.9625).
const total = sale.Cents(17246)

func TestTheFeeIsTaxedToTheCent(t *testing.T) {
	for before, want := range map[sale.Cents][3]sale.Cents{
		0: {}, 15000: {750, 1496, 17246}, 9900: {495, 988, 11383}, 10: {1, 1, 12}, 9: {0, 1, 10}, 5: {0, 0, 5},
		199: {10, 20, 229}, 1_000_000_000_000_000: {50_000_000_000_000, 99_750_000_000_000, 1_149_750_000_000_000},
	} {
		s := settings()
		s.Fees = map[string]sale.Cents{work.Wisk: before}
		charge, err := (&onboarding.Room{Settings: s}).Charge(work.Wisk)
		require.NoError(t, err)
		require.Equal(t, want, [3]sale.Cents{charge.GST, charge.QST, charge.Total}, "of %d", before)
		require.Equal(t, before == 0, charge.Free())
	}
}

// Each tax is the nearest cent of the amount before tax, half a cent up; and what
// is asked is the sum of what is shown.
func TestTaxesAreRoundedHalfUpAndAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.Int64Range(1, 1<<53).Draw(t, "before tax, in cents")
		rates := [2]int64{rapid.Int64Range(0, 100_000).Draw(t, "GST"), rapid.Int64Range(0, 100_000).Draw(t, "QST")}
		s := settings()
		s.Fees[work.Wisk] = sale.Cents(before)
		s.Billing.GSTRate, s.Billing.QSTRate = words.Rate(rates[0]), words.Rate(rates[1])
		charge, err := (&onboarding.Room{Settings: s}).Charge(work.Wisk)
		require.NoError(t, err)
		for i, tax := range []sale.Cents{charge.GST, charge.QST} {
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(before), big.NewInt(rates[i])), big.NewInt(100_000))
			off := new(big.Rat).Sub(new(big.Rat).SetInt64(int64(tax)), exact)
			require.Positive(t, off.Cmp(big.NewRat(-1, 2)), "%d of %d", tax, before)
			require.LessOrEqual(t, off.Cmp(big.NewRat(1, 2)), 0, "%d of %d", tax, before)
		}
		require.Equal(t, charge.Before+charge.GST+charge.QST, charge.Total)
	})
}

func TestAnAmountThatIsTooLargeIsNoFee(t *testing.T) {
	s := settings()
	s.Fees[work.Wisk] = sale.Cents(1<<63 - 1)
	_, err := (&onboarding.Room{Settings: s}).Charge(work.Wisk)
	require.Error(t, err)
}

func TestInvoicesHaveNumbersOfTheirOwn(t *testing.T) {
	require.Equal(t, "CB-WISK-R-1042-3", onboarding.InvoiceNumber("wisk:r-1042:3"))
	require.NotEqual(t, onboarding.InvoiceNumber("wisk:a-1:1"), onboarding.InvoiceNumber("wisk:a:11"))
}

// confirmed is a venue that said yes.
func (r *rig) confirmed(w way) joining {
	r.t.Helper()
	j := r.start(w)
	r.upTo("decide", j)
	r.does(decideStep, j)
	return j
}

func (r *rig) charge(j joining) ledger.Charge {
	r.t.Helper()
	c, there, err := r.Ledger.ChargeOf(r.ctx, j.id)
	require.NoError(r.t, err)
	require.True(r.t, there)
	return c
}

// says lets a person say something of the fee, twice.
func (r *rig) says(j joining, act, reference string) (work.ChargeResult, error) {
	r.t.Helper()
	in := work.CaseAct{Case: j.id, Act: act, Reference: reference, By: "lea", Reason: "venue_asked", Note: "seen"}
	first, err := r.SettleCharge(r.ctx, in)
	again, errAgain := r.SettleCharge(r.ctx, in)
	require.Equal(r.t, first, again)
	require.Equal(r.t, err == nil, errAgain == nil)
	r.canaries.said(first)
	return first, err
}

// told is what the billing system tells of a case's invoice, twice.
func (r *rig) told(j joining, id, kind string, amount sale.Cents) (caseID string) {
	r.t.Helper()
	p := ledger.Payment{
		ID: id, Number: onboarding.InvoiceNumber(j.id), Kind: kind, Amount: amount, Currency: "CAD", At: r.clock.Now().Truncate(time.Second),
	}
	for range 2 {
		var err error
		caseID, err = r.NotePayment(r.ctx, p)
		require.NoError(r.t, err)
	}
	return caseID
}

func (r *rig) checks(j joining) string {
	r.t.Helper()
	result, err := r.CheckCharge(r.ctx, j.id)
	require.NoError(r.t, err)
	return result.State
}

func TestAFeeIsPaidByHand(t *testing.T) {
	r := newRig(t)
	j := r.confirmed(pull)
	none, err := r.CheckCharge(r.ctx, j.id)
	require.NoError(t, err)
	require.Equal(t, work.ChargeResult{State: work.ChargeNone}, none)
	number := onboarding.InvoiceNumber(j.id)
	require.Equal(t, work.ChargeResult{State: work.ChargeOpen, Number: number}, r.does(chargeStep, j))
	r.does(mailStep(mail.KindInvoice), j)
	invoice := r.mails(j.email)[1]
	require.Contains(t, invoice.Text, number)
	require.Contains(t, invoice.Links(), "https://pay.example/"+number)

	r.clock.Forward(days(2))
	paid, err := r.says(j, work.UpdateRecordPayment, "VIR-7")
	require.NoError(t, err)
	require.Equal(t, work.ChargeResult{State: work.ChargePaid, Number: number}, paid)
	_, err = r.says(j, work.UpdateRecordPayment, "VIR-8")
	r.refused(work.BadInput, err)
	waived, err := r.says(j, work.UpdateWaiveFee, "")
	require.NoError(t, err)
	require.Equal(t, work.ChargePaid, waived.State, "nothing is left to be waived")
	c := r.charge(j)
	require.Equal(t, "VIR-7", c.Reference)
	require.True(t, c.SettledAt.After(c.OpenedAt.Add(days(2))))
	require.Equal(t, paid, r.does(chargeStep, j))
	r.does(mailStep(mail.KindPaymentReceived), j)
	require.Contains(t, r.mails(j.email)[2].Text, number)

	refunded, err := r.says(j, work.UpdateRefundFee, "VIR-9")
	require.NoError(t, err)
	require.Equal(t, work.ChargeRefunded, refunded.State)
	c = r.charge(j)
	require.Equal(t, []string{"VIR-7", "VIR-9"}, []string{c.Reference, c.RefundReference})
	_, err = r.says(j, work.UpdateRecordPayment, "VIR-7")
	r.refused(work.BadInput, err)
	_, err = r.SettleCharge(r.ctx, work.CaseAct{Case: j.id, Act: work.UpdateDecide})
	r.refused(work.Internal, err)
	story := r.story(j.id)
	require.Equal(t, []string{"fee: paid", "fee: refunded"}, story[len(story)-2:])
}

func TestAFeeIsWaived(t *testing.T) {
	r := newRig(t)
	for name, before := range map[string]bool{"before it is due": true, "when it is due": false} {
		j := r.confirmed(pull)
		if !before {
			r.does(chargeStep, j)
		}
		waived, err := r.says(j, work.UpdateWaiveFee, "")
		require.NoError(t, err)
		require.Equal(t, work.ChargeWaived, waived.State, name)
		require.Equal(t, waived, r.does(chargeStep, j))
		_, err = r.says(j, work.UpdateRecordPayment, "VIR-1")
		r.refused(work.BadInput, err)
		_, err = r.says(j, work.UpdateRefundFee, "VIR-1")
		r.refused(work.BadInput, err)
	}
	free := r.confirmed(token)
	none, err := r.says(free, work.UpdateWaiveFee, "")
	require.NoError(t, err)
	require.Equal(t, work.ChargeResult{State: work.ChargeNone}, none, "7shifts costs nothing")
	require.Equal(t, none, r.does(chargeStep, free))
}

func TestTheBillingSystemTellsOfAPayment(t *testing.T) {
	r := newRig(t)
	early, late := r.confirmed(pull), r.confirmed(pull)
	require.Empty(t, r.told(early, "p1", onboarding.PaymentMade, total), "the invoice is not known yet")
	require.Equal(t, work.ChargePaid, r.does(chargeStep, early).(work.ChargeResult).State)
	require.Equal(t, "p1", r.charge(early).Reference)

	r.does(chargeStep, late)
	require.Equal(t, late.id, r.told(late, "p2", onboarding.PaymentMade, total))
	require.Equal(t, work.ChargePaid, r.checks(late))
	_, err := r.NotePayment(r.ctx, ledger.Payment{ID: "p2", Number: "CB-WISK-X-1", Kind: onboarding.PaymentMade, Amount: total, Currency: "CAD"})
	r.refused(work.BadInput, err)
	require.Equal(t, late.id, r.told(late, "p2-back", onboarding.PaymentRefunded, total))
	require.Equal(t, work.ChargeRefunded, r.checks(late))
	refunded, err := r.says(late, work.UpdateRefundFee, "VIR-3")
	require.NoError(t, err, "a person says what is known")
	require.Equal(t, work.ChargeRefunded, refunded.State)
	require.Equal(t, "p2-back", r.charge(late).RefundReference)

	by := r.confirmed(pull)
	_, err = r.says(by, work.UpdateRecordPayment, "p9")
	require.NoError(t, err)
	r.told(by, "p9", onboarding.PaymentMade, total)
	require.NotContains(t, r.story(by.id), "paid twice: "+onboarding.InvoiceNumber(by.id), "it is that payment")
	_, err = r.says(by, work.UpdateRefundFee, "VIR-4")
	require.NoError(t, err)
	r.told(by, "p9-back", onboarding.PaymentRefunded, total)
	require.Equal(t, work.ChargeRefunded, r.checks(by))
	require.Equal(t, "VIR-4", r.charge(by).RefundReference)
}

func TestAnotherAmountIsNotTheFee(t *testing.T) {
	r := newRig(t)
	for i, p := range []ledger.Payment{
		{Amount: total - 1, Currency: "CAD"}, {Amount: total + 1, Currency: "CAD"}, {Amount: fee, Currency: "CAD"}, {Amount: total, Currency: "USD"},
	} {
		j := r.confirmed(pull)
		r.does(chargeStep, j)
		p.ID, p.Number, p.Kind, p.At = fmt.Sprint("o", i), onboarding.InvoiceNumber(j.id), onboarding.PaymentMade, r.clock.Now()
		for range 2 {
			_, err := r.NotePayment(r.ctx, p)
			require.NoError(t, err)
		}
		require.Equal(t, work.ChargeOpen, r.checks(j))
		require.Equal(t, []string{"payment of another amount: " + p.Number}, r.story(j.id)[4:], "told once")
		r.told(j, p.ID+"-right", onboarding.PaymentMade, total)
		require.Equal(t, work.ChargePaid, r.checks(j))
	}
}

// Paid twice: the story says so, and what is given back is the one too many.
func TestWhatIsPaidTwiceIsGivenBackOnce(t *testing.T) {
	r := newRig(t)
	j := r.confirmed(pull)
	number := onboarding.InvoiceNumber(j.id)
	r.told(j, "p1", onboarding.PaymentMade, total)
	r.told(j, "p2", onboarding.PaymentMade, total)
	require.Equal(t, work.ChargePaid, r.does(chargeStep, j).(work.ChargeResult).State)
	require.Equal(t, []string{"fee: paid", "paid twice: " + number}, r.story(j.id)[4:])
	r.told(j, "p2-back", onboarding.PaymentRefunded, total)
	require.Equal(t, work.ChargePaid, r.checks(j), "one payment stays")
	require.Equal(t, "what was paid too much given back: "+number, r.story(j.id)[6])
	r.told(j, "p1-back", onboarding.PaymentRefunded, total)
	require.Equal(t, work.ChargeRefunded, r.checks(j))
	r.told(j, "p3", onboarding.PaymentMade, total)
	require.Equal(t, work.ChargeRefunded, r.checks(j))
	require.Equal(t, "paid although nothing was owed: "+number, r.story(j.id)[8], "nor is what comes later the fee")
}

// A refund that is told before its payment waits for it.
func TestARefundMayOvertakeItsPayment(t *testing.T) {
	r := newRig(t)
	j := r.confirmed(pull)
	r.does(chargeStep, j)
	r.told(j, "back", onboarding.PaymentRefunded, total)
	require.Equal(t, work.ChargeOpen, r.checks(j))
	r.told(j, "p1", onboarding.PaymentMade, total)
	require.Equal(t, work.ChargeRefunded, r.checks(j))
}

// A venue that was connected before has paid, also when its hardware was
// replaced since.
func TestAFeeIsPaidOncePerVenueAndPartner(t *testing.T) {
	r := newRig(t)
	j := r.start(pull)
	r.whole(j)
	connection := r.connection(j)
	_, err := r.Ledger.SetState(r.ctx, connection.ID, work.Disconnected, lea)
	require.NoError(t, err)
	again := r.again(j.venue, pull)
	r.upTo("charge", again)
	want := work.ChargeResult{State: work.ChargeNone, Number: onboarding.InvoiceNumber(j.id)}
	require.Equal(t, want, r.does(chargeStep, again))
	r.ends(again, work.Cancelled)

	r.till.Replace(j.serial, "CL-new")
	require.NoError(t, r.Ledger.ReplaceSerial(r.ctx, connection.LocationID, "CL-new", lea))
	fresh := j.venue
	fresh.serial = "CL-new"
	again = r.again(fresh, pull)
	r.upTo("charge", again)
	require.Equal(t, want, r.does(chargeStep, again), "for the hardware before")

	_, err = r.says(j, work.UpdateRefundFee, "VIR-9")
	require.NoError(t, err)
	require.Equal(t, work.ChargeOpen, r.does(chargeStep, again).(work.ChargeResult).State, "given back, it is asked for again")
}

func TestAnInvoiceThatNobodyCollectsIsVoid(t *testing.T) {
	r := newRig(t)
	left := r.confirmed(pull)
	r.does(chargeStep, left)
	r.ends(left, work.Cancelled) // without being undone
	next := r.again(left.venue, pull)
	r.upTo("charge", next)
	require.Equal(t, work.ChargeOpen, r.does(chargeStep, next).(work.ChargeResult).State)
	require.Equal(t, work.ChargeVoid, r.charge(left).State)

	_, err := r.OpenCharge(r.ctx, left.id)
	require.NoError(t, err, "its own charge is told")
	ended := r.confirmed(pull)
	r.ends(ended, work.Cancelled)
	_, err = r.OpenCharge(r.ctx, ended.id)
	r.refused(work.BadInput, err)
	_, err = r.OpenCharge(r.ctx, "wisk:none:1")
	r.refused(work.BadInput, err)

	// A payment for the void one is found, and belongs to its case.
	r.ends(next, work.Cancelled)
	paid := r.confirmed(pull)
	r.does(chargeStep, paid)
	r.ends(paid, work.Cancelled)
	require.NoError(t, func() error { // told while nobody looked
		_, err := r.Ledger.NotePayment(r.ctx, ledger.Payment{
			ID: "late", Number: onboarding.InvoiceNumber(paid.id), Kind: onboarding.PaymentMade, Amount: total, Currency: "CAD", At: r.clock.Now(),
		})
		return err
	}())
	next = r.again(paid.venue, pull)
	r.upTo("charge", next)
	require.Equal(t, work.ChargeResult{State: work.ChargeNone, Number: onboarding.InvoiceNumber(paid.id)}, r.does(chargeStep, next))
}

// The hardware is replaced while an onboarding of the old till collects: one
// invoice is open, and no second one.
func TestOneInvoiceIsOpenForAVenue(t *testing.T) {
	r := newRig(t)
	seven := r.start(token)
	r.whole(seven)
	first := r.again(seven.venue, pull)
	r.upTo("charge", first)
	r.does(chargeStep, first)
	r.till.Replace(seven.serial, "CL-new")
	require.NoError(t, r.Ledger.ReplaceSerial(r.ctx, r.connection(seven).LocationID, "CL-new", lea))
	fresh := seven.venue
	fresh.serial = "CL-new"
	second := r.again(fresh, pull)
	r.upTo("charge", second)
	_, err := r.OpenCharge(r.ctx, second.id)
	r.refused(work.TillForeign, err)
	_, err = r.says(first, work.UpdateRecordPayment, "VIR-1")
	require.NoError(t, err)
	require.Equal(t, work.ChargeNone, r.does(chargeStep, second).(work.ChargeResult).State)
}

// Money that is held, by what was told, is what the charge and the story say,
// in whatever order it is told.
func TestNoPaymentIsLostOrTakenTwice(t *testing.T) {
	r := newRig(t)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		id := fmt.Sprintf("wisk:money-%d:1", number)
		require.NoError(t, r.Ledger.AddCases(r.ctx, []ledger.Case{{ID: id, Workflow: id, Request: id, Partner: work.Wisk, Serial: id}}, lea))
		made := rapid.IntRange(0, 3).Draw(t, "payments")
		back := rapid.IntRange(0, made).Draw(t, "refunds")
		var all []ledger.Payment
		for i := range made + back {
			p := ledger.Payment{ID: fmt.Sprintf("%s/%d", id, i), Number: onboarding.InvoiceNumber(id), Kind: onboarding.PaymentMade, Amount: total, Currency: "CAD"}
			if i >= made {
				p.Kind = onboarding.PaymentRefunded
			}
			p.At = noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "hour")) * time.Hour)
			all = append(all, p)
		}
		opens := rapid.IntRange(0, len(all)).Draw(t, "opened after")
		for i, p := range rapid.Permutation(all).Draw(t, "told") {
			if i == opens {
				_, err := r.OpenCharge(r.ctx, id)
				require.NoError(t, err)
			}
			_, err := r.NotePayment(r.ctx, p)
			require.NoError(t, err)
		}
		result, err := r.OpenCharge(r.ctx, id)
		require.NoError(t, err)
		told, err := r.Ledger.Payments(r.ctx, onboarding.InvoiceNumber(id))
		require.NoError(t, err)
		held := map[string]int{work.ChargePaid: 1}[result.State]
		for _, p := range told {
			switch p.Taken {
			case "extra":
				held++
			case "return":
				held--
			case "":
				require.Equal(t, onboarding.PaymentRefunded, p.Kind, "a payment that means nothing")
				back--
			}
		}
		require.Equal(t, made-back, held)
	})
}

// Whatever crashes between any two statements, and whoever works on the same
// till's fee at the same moment: at most one charge is unrefunded, no charge is
// in two states, and in the end the room goes on.
func TestAtMostOneChargeIsUnrefunded(t *testing.T) {
	r := newRig(t)
	rooms := make([]*onboarding.Room, 2)
	storms := make([]*storm, 2)
	for i := range rooms {
		rooms[i], storms[i] = r.stormy()
	}
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		serial := fmt.Sprintf("CL-fee-%d", number)
		cases := []string{}
		add := func() string {
			id := fmt.Sprintf("wisk:fee-%d:%d", number, len(cases)+1)
			require.NoError(t, r.Ledger.AddCases(r.ctx, []ledger.Case{{ID: id, Workflow: id, Request: id, Partner: work.Wisk, Serial: serial}}, lea))
			cases = append(cases, id)
			return id
		}
		add()
		payments := 0
		act := func(room *onboarding.Room, id, what string, payment int) {
			person := work.CaseAct{Case: id, Act: what, Reference: fmt.Sprintf("VIR-%d", payment), By: "lea", Reason: "venue_asked", Note: "seen"}
			switch what {
			case "open":
				_, _ = room.OpenCharge(r.ctx, id)
			case "told":
				_, _ = room.NotePayment(r.ctx, ledger.Payment{
					ID: fmt.Sprintf("%s/%d", id, payment), Number: onboarding.InvoiceNumber(id), Kind: onboarding.PaymentMade, Amount: total, Currency: "CAD", At: noon,
				})
			case "void":
				_, _ = room.Undo(r.ctx, work.UndoInput{Case: id, Step: work.UndoFee, By: "lea", Reason: "venue_asked", Note: "cancelled"})
			default:
				_, _ = room.SettleCharge(r.ctx, person)
			}
		}
		whats := []string{"open", "open", "told", "void", work.UpdateRecordPayment, work.UpdateWaiveFee, work.UpdateRefundFee}
		for range rapid.IntRange(1, 5).Draw(t, "turns") {
			payments++
			id := cases[len(cases)-1]
			what, other := rapid.SampledFrom(whats).Draw(t, "act"), rapid.SampledFrom(whats).Draw(t, "meanwhile")
			p := plan{rapid.IntRange(1, 12).Draw(t, "moment"), rapid.Bool().Draw(t, "after"), rapid.Bool().Draw(t, "dies")}
			storms[1].comes(plan{moment: rapid.IntRange(1, 12).Draw(t, "the other's"), after: p.after, dies: true}, nil)
			if rapid.Bool().Draw(t, "two at once") {
				storms[0].comes(p, func() { act(rooms[1], id, other, payments) })
			} else {
				storms[0].comes(p, nil)
			}
			act(rooms[0], id, what, payments)
			storms[0].goes()
			storms[1].goes()
			if rapid.IntRange(0, 3).Draw(t, "another request") == 0 {
				require.NoError(t, r.NoteStage(r.ctx, work.StageNote{Case: id, Stage: work.StageEnded, Outcome: work.Cancelled}))
				add()
			}
		}
		var unrefunded int
		require.NoError(t, r.Ledger.DB().Get(&unrefunded, `SELECT count(*) FROM charges WHERE serial = $1 AND state IN ('open', 'paid')`, serial))
		require.LessOrEqual(t, unrefunded, 1)
		last := cases[len(cases)-1]
		first, err := r.OpenCharge(r.ctx, last)
		require.NoError(t, err)
		again, err := r.OpenCharge(r.ctx, last)
		require.NoError(t, err)
		require.Equal(t, first, again)
		for _, id := range cases { // what is paid is told in each story as often as it was
			checkStory(t, r, id)
		}
	})
}

// checkStory wants the story of a case's fee to lead to the state in which it is.
func checkStory(t require.TestingT, r *rig, id string) {
	charge, there, err := r.Ledger.ChargeOf(r.ctx, id)
	require.NoError(t, err)
	state := work.ChargeOpen
	for _, act := range r.story(id) {
		if next, fee := strings.CutPrefix(act, "fee: "); fee {
			require.NotEqual(t, state, next, "turned twice")
			state = next
		}
	}
	if there {
		require.Equal(t, charge.State, state)
	}
}
