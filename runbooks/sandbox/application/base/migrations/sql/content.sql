CREATE TABLE generated_vocabulary (
    id SERIAL NOT NULL,
    language_code VARCHAR(8) NOT NULL,
    word VARCHAR(150) NOT NULL,
    word_normalized VARCHAR(150) NOT NULL,
    proficiency_level VARCHAR(32) NOT NULL,
    difficulty VARCHAR(32) NOT NULL,
    semantic_field VARCHAR(64) NOT NULL,
    vocabulary_data JSONB NOT NULL,
    times_requested INTEGER DEFAULT '0' NOT NULL,
    last_requested TIMESTAMP WITH TIME ZONE,
    emb VECTOR(1536),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE language (
    id SERIAL NOT NULL,
    code VARCHAR(8) NOT NULL,
    name VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (code)
);

CREATE TABLE source_doc (
    id SERIAL NOT NULL,
    slug VARCHAR(64) NOT NULL,
    title VARCHAR(256) NOT NULL,
    license JSONB,
    meta JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (slug)
);

CREATE TABLE grammar_topic (
    id SERIAL NOT NULL,
    source_id INTEGER NOT NULL,
    anchor VARCHAR(64) NOT NULL,
    title VARCHAR(256) NOT NULL,
    body TEXT NOT NULL,
    body_fold TEXT NOT NULL,
    emb VECTOR(1536),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(source_id) REFERENCES source_doc (id)
);
CREATE INDEX ix_grammar_topic_source_id ON grammar_topic (source_id);

CREATE TABLE lexeme (
    id SERIAL NOT NULL,
    language_id INTEGER NOT NULL,
    lemma VARCHAR(150) NOT NULL,
    lemma_fold VARCHAR(150) NOT NULL,
    pos VARCHAR(32),
    data JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(language_id) REFERENCES language (id)
);
CREATE INDEX ix_lexeme_language_id ON lexeme (language_id);

CREATE TABLE text_work (
    id SERIAL NOT NULL,
    language_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    author VARCHAR(128) NOT NULL,
    title VARCHAR(256) NOT NULL,
    ref_scheme VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(language_id) REFERENCES language (id),
    FOREIGN KEY(source_id) REFERENCES source_doc (id)
);
CREATE INDEX ix_text_work_language_id ON text_work (language_id);
CREATE INDEX ix_text_work_source_id ON text_work (source_id);

CREATE TABLE text_segment (
    id SERIAL NOT NULL,
    work_id INTEGER NOT NULL,
    ref VARCHAR(100),
    text_raw TEXT NOT NULL,
    text_nfc TEXT NOT NULL,
    text_fold TEXT NOT NULL,
    emb VECTOR(1536),
    meta JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(work_id) REFERENCES text_work (id)
);
CREATE INDEX ix_text_segment_work_id ON text_segment (work_id);

CREATE TABLE token (
    id SERIAL NOT NULL,
    segment_id INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    surface VARCHAR(150) NOT NULL,
    surface_nfc VARCHAR(150) NOT NULL,
    surface_fold VARCHAR(150) NOT NULL,
    lemma VARCHAR(150),
    lemma_fold VARCHAR(150),
    msd JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(segment_id) REFERENCES text_segment (id)
);
CREATE INDEX ix_token_segment_id ON token (segment_id);

CREATE INDEX ix_lexeme_lemma_fold ON lexeme (lemma_fold);
CREATE INDEX ix_lexeme_lemma_trgm ON lexeme USING gin (lemma_fold gin_trgm_ops);
CREATE INDEX ix_token_surface_fold ON token (surface_fold);
CREATE INDEX ix_text_segment_fold_trgm ON text_segment USING gin (text_fold gin_trgm_ops);
CREATE INDEX ix_gen_vocab_word ON generated_vocabulary (language_code, word_normalized);
