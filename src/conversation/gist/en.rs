//! How people ask for a human in English.

use super::tongue::Written;

pub(super) const WRITTEN: Written = Written {
    code: "en",
    wish: "i want, i need, i d like, i would like, i d love, i would love, i d prefer, i would prefer, i d rather, \
           i would rather, want, wanna, need to, can i, could i, may i, can we, could we, let me, please, pls, i have to, \
           i must, i ve got to, i gotta, gotta, prefer, rather, how do i, how can i, wish, allow me, possible to, able to, \
           like to, ask to, asking to, demand to, can t i, why can t i, just let me, where can i, chance to, i prefer, trying to",
    want: "i want, i need, i d like, i would like, i d prefer, i would prefer, i prefer, i d rather have, i demand, we need, \
           give me, get me, gimme, send me, bring me, find me, can i get, can i have, could i get, could i have, may i have, \
           i want to get, i request, i am requesting, want, need, just want, just need, i wanna have, please get, call me",
    fill: "a, an, the, some, any, one, your, real, actual, live, living, human, it, support, service, desk, helpdesk, help, \
           technical, tech, customer, proper, physical, flesh and blood, of the, competent, qualified, genuine, actual real",
    people: "human, humans, human being, human beings, person, real people, actual people, agent, technician, operator, \
             representative, rep, advisor, adviser, specialist, staff member, member of staff, human help, human support, \
             human assistance, support staff, it guy, engineer, service agent, expert, live chat",
    loose: "someone, somebody, anyone, anybody, someone else, somebody else, support, helpdesk, help desk, servicedesk, \
            service desk, it support, it team, it department, it helpdesk, it staff, tech support, technical support, \
            customer service, customer support, the team, your team, a supervisor, a manager, your manager, your supervisor, \
            people",
    follow: "please, pls, plz, now, asap, immediately, instead, about, because, who, that, here, again, today, right, \
             urgently, thanks, thank, and, or, not, regarding, rather, from it, from support, from the it, from your, \
             from the support, from the help, from the service, on the phone, by phone, directly, quickly, first, \
             to help, to come, to look, to check, to fix, to talk, to assist, to look, to call, to contact, i can talk, i can speak, at once, soon, straight, \
             to speak, for this, for help, as soon, if possible, ok, this, yes, currently, at the it, in it, in the it, \
             with this, over",
    follow_loose: "please, pls, plz, now, asap, immediately, real, human, instead, about, who, from it, from support, \
                   from your, from the it, from the support, from the help, from the service, in it, in the it, in support, \
                   on the phone, by phone, directly, because, right, not, regarding, today, thanks, with a brain, and, \
                   at the it, at the help, at the service, as soon, at once, urgently, for help, rather",
    denial: "not, dont, don t, doesnt, doesn t, didnt, didn t, never, wouldnt, wouldn t, wont, won t, without, no need, \
             no longer, do you, do i need, do i have, do i really, should i, must i, if i, when i, whenever, whether, instead of, before i, \
             after i, unless, until i, no human, avoid, nobody, had to, while i, can not, cannot",
    link: "so, and, but, because, then, therefore, hence, otherwise, just",
    patterns: &[
        "<wish> * talk|speak|chat|communicate|talking|speaking|chatting to|with <any>",
        "<wish> * be|get|being connected|transferred|forwarded|escalated|put|handed * to|with <any>",
        "<wish> * a|some conversation|chat|talk|word with <any>",
        "^ talk|speak|chat to|with <any>",
        "^ just|hi|hello|hey|again|ok|okay|look|sorry talk|speak to|with <any>",
        "connect|transfer|put|forward|hand|pass|route|redirect|switch|refer|direct|escalate me|us * to|with <any>",
        "escalate|hand this|it|me|us|that over|up|on to <any>",
        "escalate|hand this|it|that|everything to <any>",
        "escalate * to <np>",
        "<want> <np>",
        "<want> to see|reach|contact <np>",
        "<wish> * contact|reach|call|get|have <np>",
        "^ i said|wrote <np> $",
        "^ get|give|fetch <np> $",
        "^ transfer|switch|connect|escalate|forward to <np>",
        "get|give|send|find me someone|somebody human|real",
        "can|could|would|will you * get|send|find|bring|fetch|involve <np>",
        "<want> * have <np> help|call|look|check|take|contact|assist|answer|explain",
        "can|could|will|would|may <np> please|maybe|also|quickly help|call|look|check|take|contact|assist|answer|explain",
        "can|could|will|would|may <np> from|in|of * help|call|look|check|take|contact|assist|answer|explain",
        "can|could|will|would|may|let <np> help|call|look|check|take|contact|assist|answer|reply|talk|speak|handle|explain",
        "is|are there <np> $",
        "is|are there <np> here|available|around|there|online|i|who|on|that|to",
        "is|are there <any> i|we can|could talk|speak|chat",
        "any human|humans|person here|there|around|available",
        "^ <np> please|pls|plz|now|asap $",
        "^ please|hello|hi|hey <np> $",
        "^ no|not bot|bots|robot|robots|machine|machines <np>",
    ],
    whole: "human, a human, agent, an agent, operator, representative, real person, a real person, real human, a real human, \
            live agent, human agent, human being, live person, live chat, live support, human support, human please, \
            agent please, technician please, person please, human now, agent now, agent agent, agent agent agent, \
            human human, human human human, operator operator, real person please, actual human, actual person, speak to agent, \
            talk to agent, talk to human, speak to human, talk to person, talk to technician, talk to support",
};
