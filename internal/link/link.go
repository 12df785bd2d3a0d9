// Package link makes and reads the tokens of the links that people outside the
// team get by mail. A token is signed, ends at an instant and opens one purpose
// for one subject; it holds no secret and no person's data. Whether it was used
// already is not known here: nothing is kept.
package link

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Purpose is what a link opens: one of the gateway's pages.
type Purpose string

// The purposes.
const (
	Confirm Purpose = "confirm" // a contact says yes or no for its venues
	Token   Purpose = "token"   // a venue hands over its 7shifts token
	Contact Purpose = "contact" // an operator enters a venue's contact
	Reveal  Purpose = "reveal"  // a reader sees an API key, once
	Status  Purpose = "status"  // a venue reads how its connection is
	People  Purpose = "people"  // a manager says who is whom at 7shifts
)

// Purposes are all purposes. Their places stand in the tokens: only ever append.
var Purposes = []Purpose{Confirm, Token, Contact, Reveal, Status, People}

// Reader is for whom a link is, where several people get one to the same thing.
type Reader string

// The readers.
const (
	Anyone  Reader = ""        // whoever holds the link
	Venue   Reader = "venue"   // the venue's contact
	Support Reader = "support" // the partner's support
)

// readers are all readers. Their places stand in the tokens: only ever append.
var readers = []Reader{Anyone, Venue, Support}

// Claims are what a token says.
type Claims struct {
	Purpose Purpose
	// Subject is the id of what the page is about, such as
	// "wisk:20261124-7f3a" or "7shifts:chez-marcel": plain text that anybody who
	// holds the link can read.
	Subject string
	Reader  Reader
	// Expires is the first instant, in business time and cut to whole seconds, at
	// which the link is no longer good.
	Expires time.Time
}

// The errors of Verify.
var (
	// ErrForged: nobody of ours signed this token, or it was changed.
	ErrForged = errors.New("the link is not valid")
	// ErrPurpose: the token is ours and opens another page.
	ErrPurpose = errors.New("the link is for another page")
	// ErrExpired: the token is ours, and its time is over.
	ErrExpired = errors.New("the link has expired")
)

// MaxSubject bounds a subject, in bytes, so that a token has at most 119
// characters: its line is not broken in a mail.
const MaxSubject = 66

var subjectPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9:._-]*$`)

// check refuses claims that no token can hold.
func (c Claims) check() error {
	switch {
	case !slices.Contains(Purposes, c.Purpose):
		return fmt.Errorf("link: %q is no purpose", string(c.Purpose))
	case !slices.Contains(readers, c.Reader):
		return fmt.Errorf("link: %q is no reader", string(c.Reader))
	case len(c.Subject) > MaxSubject || !subjectPattern.MatchString(c.Subject):
		return fmt.Errorf("link: a subject is 1 to %d lower-case letters, digits, ':', '.', '_' or '-'", MaxSubject)
	case c.Expires.Unix() < 0 || c.Expires.Unix() > mostSeconds:
		return errors.New("link: an expiry is an instant from 1970 on")
	}
	return nil
}

// Path is the path of the page that a token opens, below the gateway's address.
func Path(p Purpose, token string) string { return "/" + string(p) + "/" + token }
