package sale

import (
	"errors"
	"fmt"
	"strconv"
)

// Cents is an amount of money in the venue's currency, in integer cents.
// It is never a float: decimals exist only at a partner's edge that asks for
// them.
type Cents int64

// ErrOverflow says that an addition left the range of Cents. An order that
// causes it is a bad record, never a wrapped-around amount.
var ErrOverflow = errors.New("amount overflows")

// Add returns a+b, or ErrOverflow.
func (a Cents) Add(b Cents) (Cents, error) {
	c := a + b
	if (c > a) != (b > 0) {
		return 0, fmt.Errorf("%d + %d cents: %w", a, b, ErrOverflow)
	}
	return c, nil
}

// Sum adds all amounts, or returns ErrOverflow.
func Sum(amounts ...Cents) (Cents, error) {
	var total Cents
	var err error
	for _, a := range amounts {
		if total, err = total.Add(a); err != nil {
			return 0, err
		}
	}
	return total, nil
}

// Sub returns a-b, or ErrOverflow.
func (a Cents) Sub(b Cents) (Cents, error) {
	c := a - b
	if (c < a) != (b > 0) {
		return 0, fmt.Errorf("%d - %d cents: %w", a, b, ErrOverflow)
	}
	return c, nil
}

// String prints dollars and cents with a point, such as "-12.05".
func (a Cents) String() string {
	sign, u := "", uint64(a)
	if a < 0 {
		sign, u = "-", -uint64(a)
	}
	return sign + strconv.FormatUint(u/100, 10) + "." + fmt.Sprintf("%02d", u%100)
}
