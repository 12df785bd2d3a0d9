package play

import (
	"net"
	"time"

	clustersim "github.com/clustersystems/clusterbridge/internal/simulator/cluster"
	mailboxsim "github.com/clustersystems/clusterbridge/internal/simulator/mailbox"
)

// Cluster activates API access after 24 to 48 hours. Here it is never the
// longest of that, so that setting up takes half a minute.
const (
	shortestActivation = 24 * time.Hour
	longestActivation  = 28 * time.Hour
)

// openOffice makes the tills with Cluster's back office, with what an earlier
// run left in the state folder.
func openOffice(f *folder, c *calendar) (*clustersim.Sim, error) {
	key, err := f.own("office")
	if err != nil {
		return nil, err
	}
	switches := clustersim.DefaultOfficeSwitches()
	switches.ActivationMin, switches.ActivationMax = shortestActivation, longestActivation
	return clustersim.Open(clustersim.Options{Clock: c, OfficeKey: key, Office: &switches, StateFile: f.file(officeFile)})
}

// expectGuests adds the venues that sell nothing here, and serves the mailbox of
// all contacts.
func (s *simulators) expectGuests(f *folder, c *calendar) (err error) {
	for _, g := range s.guests() {
		if g.Answer != joins {
			s.tills.AddLocation(g.location())
		}
	}
	if s.box, err = mailboxsim.Open(mailboxsim.Options{Clock: c, StateFile: f.file(mailFile)}); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = s.box.ServeSMTP(l) }() // ends with stop
	s.smtpPort = l.Addr().(*net.TCPAddr).Port
	s.boxPage, err = s.serve(s.box)
	return err
}
