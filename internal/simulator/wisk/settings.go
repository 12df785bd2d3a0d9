package wisksim

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/clustersystems/clusterbridge/internal/simulator/kit"
)

// formView is the form that adds an integration, as it was filled in.
type formView struct {
	Setup
	Trouble string
}

// french says what is at fault with a pair.
var french = map[string]string{
	TroubleKey:        "Cluster refuse la cl\u00e9 API",
	TroubleSerial:     "Cluster ne conna\u00eet pas le num\u00e9ro de s\u00e9rie",
	TroubleActivation: "Cluster n\u2019a pas encore activ\u00e9 l\u2019acc\u00e8s API",
	TroubleOffline:    "le terminal est hors ligne",
	TroubleAnswer:     "Cluster ne r\u00e9pond pas",
}

func (s *Sim) pageSettings(w http.ResponseWriter, r *http.Request) {
	s.showSettings(w, r, formView{Setup: Setup{Pairs: []Pair{{}}}}, http.StatusOK)
}

func (s *Sim) showSettings(w http.ResponseWriter, r *http.Request, form formView, status int) {
	s.mu.Lock()
	v, err := s.venue(r.PathValue("venue"))
	if err != nil {
		s.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	p := s.page("Param\u00e8tres du lieu")
	p.Lang, p.Venue, p.Form = "fr", venueView{Venue: v.Venue}, form
	s.mu.Unlock()
	p.Integrations = s.Integrations(v.ID)
	kit.Show(w, pages, "settings", status, p)
}

// pageAddIntegration takes the form. The button that adds a pair shows it again
// with one more; the one that saves verifies with Cluster and begins the import.
func (s *Sim) pageAddIntegration(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, kit.MaxSteering)
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	form := formView{Setup: Setup{
		Venue: r.PathValue("venue"), Nickname: r.PostForm.Get("nickname"),
		IncludeModifiers: r.PostForm.Has("include_modifiers"), SeparateModifiers: r.PostForm.Has("separate_modifiers"),
	}}
	serials := r.PostForm["serial"]
	for i, key := range r.PostForm["key"] {
		if i < len(serials) && (key != "" || serials[i] != "") {
			form.Pairs = append(form.Pairs, Pair{Serial: serials[i], Key: key})
		}
	}
	if r.PostForm.Has("more") {
		form.Pairs = append(form.Pairs, Pair{})
		s.showSettings(w, r, form, http.StatusOK)
		return
	}
	saved, err := s.AddIntegration(r.Context(), form.Setup)
	if err != nil {
		form.Trouble = inFrench(err)
		if len(form.Pairs) == 0 {
			form.Pairs = []Pair{{}}
		}
		s.showSettings(w, r, form, http.StatusUnprocessableEntity)
		return
	}
	s.beginPull(saved.ID)
	s.backToSettings(w, r)
}

func (s *Sim) pageIntegrationAct(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, kit.MaxSteering)
	id, err := strconv.Atoi(r.PathValue("id"))
	if err == nil {
		switch r.PostFormValue("act") {
		case ActRemove:
			err = s.RemoveIntegration(id)
		case ActResume:
			if err = s.ResumeIntegration(id); err == nil {
				s.beginPull(id)
			}
		default:
			s.beginPull(id)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.backToSettings(w, r)
}

func (s *Sim) backToSettings(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/venues/"+url.PathEscape(r.PathValue("venue"))+"/settings", http.StatusSeeOther)
}

// inFrench says why an integration was not saved, as the page does.
func inFrench(err error) string {
	if pair, ok := errors.AsType[*PairError](err); ok {
		return "Num\u00e9ro de s\u00e9rie " + pair.Serial + " : " + french[pair.Trouble] + "."
	}
	return "Chaque site demande sa cl\u00e9 API et son num\u00e9ro de s\u00e9rie ; les modificateurs distincts demandent \u00ab Inclure les modificateurs \u00bb."
}
