package intake

import "github.com/clustersystems/clusterbridge/internal/cluster"

// reader reads the next page of a pull while one is being recorded, so that
// till and ledger do not wait for each other.
type reader struct {
	page  func(token string) (cluster.OrdersPage, error)
	token string // of the page that is on its way
	comes chan answer
}

// answer is a page, or why there is none.
type answer struct {
	page cluster.OrdersPage
	err  error
}

// ahead begins to read a page.
func (r *reader) ahead(token string) {
	r.end()
	comes := make(chan answer, 1)
	go func() {
		page, err := r.page(token)
		comes <- answer{page, err}
	}()
	r.token, r.comes = token, comes
}

// read gives a page, which may be on its way already.
func (r *reader) read(token string) (cluster.OrdersPage, error) {
	if r.comes == nil || r.token != token {
		return r.page(token)
	}
	a := <-r.comes
	r.comes = nil
	return a.page, a.err
}

// end waits for the page that nobody wants any more.
func (r *reader) end() {
	if r.comes != nil {
		<-r.comes
		r.comes = nil
	}
}
