CREATE TABLE "user" (
    id SERIAL NOT NULL,
    username VARCHAR(50) NOT NULL,
    email VARCHAR(255) NOT NULL,
    hashed_password VARCHAR(255) NOT NULL,
    is_active BOOLEAN DEFAULT 'true' NOT NULL,
    is_superuser BOOLEAN DEFAULT 'false' NOT NULL,
    is_email_verified BOOLEAN DEFAULT 'false' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (username),
    UNIQUE (email)
);

CREATE TABLE challenge_streak (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    current_streak INTEGER DEFAULT '0' NOT NULL,
    longest_streak INTEGER DEFAULT '0' NOT NULL,
    total_days_completed INTEGER DEFAULT '0' NOT NULL,
    last_completion_date TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    is_active_today BOOLEAN DEFAULT 'false' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (user_id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_challenge_streak_user_id ON challenge_streak (user_id);

CREATE TABLE daily_challenge (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    challenge_type VARCHAR(50) NOT NULL,
    difficulty VARCHAR(20) NOT NULL,
    title VARCHAR(100) NOT NULL,
    description VARCHAR(255) NOT NULL,
    target_value INTEGER NOT NULL,
    current_progress INTEGER DEFAULT '0' NOT NULL,
    coin_reward INTEGER DEFAULT '0' NOT NULL,
    xp_reward INTEGER DEFAULT '0' NOT NULL,
    is_completed BOOLEAN DEFAULT 'false' NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_daily_challenge_user_id ON daily_challenge (user_id);

CREATE TABLE demo_api_usage (
    id SERIAL NOT NULL,
    user_id INTEGER,
    ip_hash VARCHAR(64),
    provider VARCHAR(50) NOT NULL,
    daily_requests INTEGER DEFAULT '0' NOT NULL,
    weekly_requests INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id) ON DELETE CASCADE
);
CREATE INDEX ix_demo_api_usage_user_id ON demo_api_usage (user_id);

CREATE TABLE double_or_nothing (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    wager_amount INTEGER NOT NULL,
    days_required INTEGER NOT NULL,
    days_completed INTEGER DEFAULT '0' NOT NULL,
    is_active BOOLEAN DEFAULT 'true' NOT NULL,
    is_won BOOLEAN DEFAULT 'false' NOT NULL,
    is_lost BOOLEAN DEFAULT 'false' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_double_or_nothing_user_id ON double_or_nothing (user_id);

CREATE TABLE email_verification_token (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    token VARCHAR(255) NOT NULL,
    email VARCHAR(255) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id) ON DELETE CASCADE,
    UNIQUE (token)
);
CREATE INDEX ix_email_verification_token_user_id ON email_verification_token (user_id);

CREATE TABLE friend_challenge (
    id SERIAL NOT NULL,
    initiator_user_id INTEGER NOT NULL,
    opponent_user_id INTEGER NOT NULL,
    winner_user_id INTEGER,
    challenge_type VARCHAR(50) NOT NULL,
    target_value INTEGER NOT NULL,
    initiator_progress INTEGER DEFAULT '0' NOT NULL,
    opponent_progress INTEGER DEFAULT '0' NOT NULL,
    status VARCHAR(20) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(initiator_user_id) REFERENCES "user" (id),
    FOREIGN KEY(opponent_user_id) REFERENCES "user" (id),
    FOREIGN KEY(winner_user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_friend_challenge_initiator_user_id ON friend_challenge (initiator_user_id);
CREATE INDEX ix_friend_challenge_opponent_user_id ON friend_challenge (opponent_user_id);
CREATE INDEX ix_friend_challenge_winner_user_id ON friend_challenge (winner_user_id);

CREATE TABLE friendship (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    friend_id INTEGER NOT NULL,
    initiated_by_user_id INTEGER NOT NULL,
    status VARCHAR(20) NOT NULL,
    accepted_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_friendship UNIQUE (user_id, friend_id),
    FOREIGN KEY(user_id) REFERENCES "user" (id),
    FOREIGN KEY(friend_id) REFERENCES "user" (id),
    FOREIGN KEY(initiated_by_user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_friendship_user_id ON friendship (user_id);
CREATE INDEX ix_friendship_friend_id ON friendship (friend_id);
CREATE INDEX ix_friendship_initiated_by_user_id ON friendship (initiated_by_user_id);

CREATE TABLE leaderboard_entry (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    board_type VARCHAR(20) NOT NULL,
    region VARCHAR(50),
    rank INTEGER NOT NULL,
    xp_total INTEGER NOT NULL,
    level INTEGER NOT NULL,
    calculated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_leaderboard_entry_user_id ON leaderboard_entry (user_id);

CREATE TABLE learning_event (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    event_type VARCHAR(50) NOT NULL,
    event_timestamp TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    data JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_learning_event_user_id ON learning_event (user_id);

CREATE TABLE password_reset_token (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    token VARCHAR(255) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id),
    UNIQUE (token)
);
CREATE INDEX ix_password_reset_token_user_id ON password_reset_token (user_id);

CREATE TABLE power_up_inventory (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    power_up_type VARCHAR(50) NOT NULL,
    quantity INTEGER DEFAULT '0' NOT NULL,
    active_count INTEGER DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_user_powerup UNIQUE (user_id, power_up_type),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_power_up_inventory_user_id ON power_up_inventory (user_id);

CREATE TABLE power_up_usage (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    power_up_type VARCHAR(50) NOT NULL,
    activated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    is_active BOOLEAN DEFAULT 'true' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_power_up_usage_user_id ON power_up_usage (user_id);

CREATE TABLE revoked_token (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    jti VARCHAR(64) NOT NULL,
    token_type VARCHAR(16) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id) ON DELETE CASCADE,
    UNIQUE (jti)
);
CREATE INDEX ix_revoked_token_user_id ON revoked_token (user_id);

CREATE TABLE user_achievement (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    achievement_type VARCHAR(50) NOT NULL,
    achievement_id VARCHAR(200) NOT NULL,
    unlocked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    progress_current INTEGER,
    progress_target INTEGER,
    meta JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_user_achievement UNIQUE (user_id, achievement_type, achievement_id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_achievement_user_id ON user_achievement (user_id);

CREATE TABLE user_api_config (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    provider VARCHAR(50) NOT NULL,
    encrypted_api_key TEXT NOT NULL,
    meta JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_user_provider UNIQUE (user_id, provider),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_api_config_user_id ON user_api_config (user_id);

CREATE TABLE user_preferences (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    default_llm_provider VARCHAR(50),
    default_chat_model VARCHAR(100),
    default_lesson_model VARCHAR(100),
    default_tts_model VARCHAR(100),
    theme VARCHAR(20) DEFAULT 'auto',
    language_focus VARCHAR(20),
    daily_xp_goal INTEGER DEFAULT '50' NOT NULL,
    srs_daily_new_cards INTEGER DEFAULT '10' NOT NULL,
    srs_daily_review_limit INTEGER DEFAULT '100' NOT NULL,
    settings JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (user_id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_preferences_user_id ON user_preferences (user_id);

CREATE TABLE user_proficiency (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    language_code VARCHAR(8) NOT NULL,
    proficiency_level VARCHAR(32) NOT NULL,
    estimated_vocabulary_size INTEGER DEFAULT '0' NOT NULL,
    total_study_time_minutes INTEGER DEFAULT '0' NOT NULL,
    total_lessons_completed INTEGER DEFAULT '0' NOT NULL,
    assessment_scores JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT ix_user_prof_unique UNIQUE (user_id, language_code),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_proficiency_user_id ON user_proficiency (user_id);

CREATE TABLE user_profile (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    real_name VARCHAR(100),
    discord_username VARCHAR(50),
    phone VARCHAR(20),
    region VARCHAR(64),
    payment_provider VARCHAR(50),
    payment_customer_id VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (user_id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_profile_user_id ON user_profile (user_id);

CREATE TABLE user_progress (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    xp_total INTEGER DEFAULT '0' NOT NULL,
    level INTEGER DEFAULT '0' NOT NULL,
    streak_days INTEGER DEFAULT '0' NOT NULL,
    max_streak INTEGER DEFAULT '0' NOT NULL,
    coins INTEGER DEFAULT '0' NOT NULL,
    streak_freezes INTEGER DEFAULT '0' NOT NULL,
    total_lessons INTEGER DEFAULT '0' NOT NULL,
    perfect_lessons INTEGER DEFAULT '0' NOT NULL,
    total_exercises INTEGER DEFAULT '0' NOT NULL,
    total_time_minutes INTEGER DEFAULT '0' NOT NULL,
    last_lesson_at TIMESTAMP WITH TIME ZONE,
    last_streak_update TIMESTAMP WITH TIME ZONE,
    stats JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (user_id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_progress_user_id ON user_progress (user_id);

CREATE TABLE user_quest (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    quest_type VARCHAR(50) NOT NULL,
    quest_id VARCHAR(100) NOT NULL,
    status VARCHAR(20) NOT NULL,
    progress_current INTEGER DEFAULT '0' NOT NULL,
    progress_target INTEGER NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_quest_user_id ON user_quest (user_id);

CREATE TABLE user_skill (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    topic_type VARCHAR(50) NOT NULL,
    topic_id VARCHAR(200) NOT NULL,
    elo_rating FLOAT DEFAULT '1000' NOT NULL,
    accuracy FLOAT,
    total_attempts INTEGER DEFAULT '0' NOT NULL,
    correct_attempts INTEGER DEFAULT '0' NOT NULL,
    last_practiced_at TIMESTAMP WITH TIME ZONE,
    meta JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_user_topic UNIQUE (user_id, topic_type, topic_id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_skill_user_id ON user_skill (user_id);

CREATE TABLE user_srs_card (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    card_type VARCHAR(50) NOT NULL,
    content_id VARCHAR(200) NOT NULL,
    stability FLOAT DEFAULT '0' NOT NULL,
    difficulty FLOAT DEFAULT '0' NOT NULL,
    reps INTEGER DEFAULT '0' NOT NULL,
    lapses INTEGER DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    last_review_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_srs_card_user_id ON user_srs_card (user_id);

CREATE TABLE user_vocabulary (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    language_code VARCHAR(8) NOT NULL,
    word VARCHAR(150) NOT NULL,
    word_normalized VARCHAR(150) NOT NULL,
    times_seen INTEGER DEFAULT '0' NOT NULL,
    times_correct INTEGER DEFAULT '0' NOT NULL,
    mastery_level VARCHAR(32) NOT NULL,
    last_seen TIMESTAMP WITH TIME ZONE,
    next_review TIMESTAMP WITH TIME ZONE,
    meta JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT ix_user_vocab_unique UNIQUE (user_id, language_code, word),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_user_vocabulary_user_id ON user_vocabulary (user_id);

CREATE TABLE vocabulary_mastery (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    language_code VARCHAR(8) NOT NULL,
    word VARCHAR(150) NOT NULL,
    mastery_achieved VARCHAR(32) NOT NULL,
    achieved_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    total_encounters INTEGER NOT NULL,
    final_accuracy FLOAT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_vocabulary_mastery_user_id ON vocabulary_mastery (user_id);

CREATE TABLE weekly_challenge (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    challenge_type VARCHAR(50) NOT NULL,
    difficulty VARCHAR(20) NOT NULL,
    title VARCHAR(200) NOT NULL,
    description TEXT NOT NULL,
    target_value INTEGER NOT NULL,
    current_progress INTEGER DEFAULT '0' NOT NULL,
    is_completed BOOLEAN DEFAULT 'false' NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    week_start TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES "user" (id)
);
CREATE INDEX ix_weekly_challenge_user_id ON weekly_challenge (user_id);

CREATE TABLE user_text_stats (
    id SERIAL NOT NULL,
    user_id INTEGER NOT NULL,
    work_id INTEGER NOT NULL,
    lemma_coverage_pct FLOAT,
    tokens_seen INTEGER DEFAULT '0' NOT NULL,
    segments_completed INTEGER DEFAULT '0' NOT NULL,
    last_segment_ref VARCHAR(100),
    stats JSONB,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT uq_user_work UNIQUE (user_id, work_id),
    FOREIGN KEY(user_id) REFERENCES "user" (id),
    FOREIGN KEY(work_id) REFERENCES text_work (id)
);
CREATE INDEX ix_user_text_stats_user_id ON user_text_stats (user_id);
CREATE INDEX ix_user_text_stats_work_id ON user_text_stats (work_id);
